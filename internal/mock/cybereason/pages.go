package cybereason

import (
	"html"
	"net/http"
)

// landing is where the second redirect of a sign-in leads.
const landing = "/index.html"

// page is the console's HTML skeleton. Its scripts draw everything else, so
// the element in the body is all a client can go by.
func page(title, body string) []byte {
	return []byte(`<!doctype html><html lang="en"><head><title>` + title + `</title></head><body>` +
		body + "</body></html>\n")
}

func pageAnswer(title, body string) answer {
	return newAnswer(http.StatusOK, htmlType, page(title, body))
}

func loginPage() answer {
	return pageAnswer("Cybereason | Login", "<app-login></app-login>")
}

// appPage is what a signed-in browser gets. Consoles of other versions have no
// app element.
func (f *fake) appPage() answer {
	if f.is("app-page", "bare") {
		return pageAnswer("Cybereason", `<div id="root"></div>`)
	}
	return pageAnswer("Cybereason", `<app ng-version="22.1"></app>`)
}

// codePage asks for a second factor. The key is on it the first time only.
func codePage(key string) answer {
	body := `<h1>Two factor authentication</h1>`
	if key != "" {
		body += `<p>Add this key to your app: <code class="totp-key">` + html.EscapeString(key) + `</code></p>`
	}
	return pageAnswer("Cybereason", body+`<form method="post" action="/"><input name="totpCode">`+
		`<input type="submit" name="submit" value="Login"></form>`)
}

func resetPage() answer {
	return pageAnswer("Cybereason | Reset password",
		`<form method="post" action="/?originalurl=/current?"><input name="oldPassword" type="password">`+
			`<input name="newPassword" type="password"><input name="confirmNewPassword" type="password">`+
			`<input type="submit" name="submit" value="Login"></form>`)
}

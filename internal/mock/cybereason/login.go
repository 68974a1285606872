package cybereason

import (
	"mime"
	"net/url"
	"slices"
	"strings"
)

const (
	// accepted is where a sign-in leads. Browsers and clients ask for "/": what
	// follows the hash is never sent.
	accepted      = "/#/current?"
	resetLocation = "/reset.html?originalurl=/current"
	// otherHost is where single sign-on sends people; nobody listens there.
	otherHost = "https://idp.sso.example/saml2/authorize?SAMLRequest=bW9jaw"
	// codesKept is how many of a user's codes are compared with the next one.
	codesKept = 16
)

// login takes a password. Whatever is wrong with it, the answer is the same.
func (f *fake) login(r *request) answer {
	form := formValues(r)
	login := form.Get("username")
	fold := strings.ToLower(login)
	if f.st.Failures[fold] > 0 {
		f.st.Counters.LoginsAfterRejection++
	}
	if !onlyEncoded(r.body) || len(form) > 2 {
		f.st.Counters.LoginsUnencoded++
	}
	if target := f.value("sso-only"); target != "off" {
		if target == "on" {
			target = otherHost
		}
		return f.withNewCookie(redirect(target))
	}
	i := f.indexFold(login)
	limit := f.number("lockout-after")
	locked := limit > 0 && f.st.Failures[fold] >= limit
	if i < 0 || locked || f.st.Users[i].AllowedLoginMethod != passwordMethod ||
		!samePassword(f.st.Users[i].Password, form.Get("password")) {
		f.st.Failures[fold]++
		f.st.Counters.LoginsRejected++
		return f.rejected()
	}
	delete(f.st.Failures, fold)
	u := &f.st.Users[i]
	if f.is("tfa", "on") && u.TotpEnabled {
		return f.askCode(u)
	}
	return f.enter(u, f.open(u.Username, stageFull))
}

func (f *fake) rejected() answer {
	switch f.value("login-rejected") {
	case "error-fragment":
		return f.withNewCookie(redirect("/login.html#error"))
	case "plain":
		return f.withNewCookie(redirect("/login.html"))
	case "page":
		return f.withNewCookie(loginPage())
	}
	return f.withNewCookie(redirect("/login.html?error"))
}

// enter ends a sign-in, in a full session or at the page for a new password.
// Without an id the client keeps its cookie.
func (f *fake) enter(u *user, id string) answer {
	a := redirect(accepted)
	if f.mustReset(u) {
		a = redirect(resetLocation)
		if id != "" {
			s := f.st.Sessions[sessionKey(id)]
			s.Stage = stageReset
			f.st.Sessions[sessionKey(id)] = s
		}
	} else {
		c := &f.st.Counters
		c.Logins++
		c.LoginsInARow++
		c.MostLoginsInARow = max(c.MostLoginsInARow, c.LoginsInARow)
	}
	if id != "" {
		f.setCookie(&a, id)
		f.forgetMe(&a)
	}
	return a
}

func (f *fake) mustReset(u *user) bool {
	return u.ChangePasswordOnNextLogin || (u.Username == serviceLogin && f.is("password-expired", "on"))
}

// askCode sends the page for the second factor, the first time with its key.
func (f *fake) askCode(u *user) answer {
	if u.TotpSid == nil {
		u.TotpSid, u.KeyShown = newKey(), false
	}
	key := ""
	if !u.KeyShown || (u.Username == serviceLogin && f.is("tfa-first-time", "on")) {
		key = *u.TotpSid
		u.KeyShown = true
		if u.Username == serviceLogin {
			f.st.Switches["tfa-first-time"] = "off"
		}
	}
	a := codePage(key)
	if key == "" && f.is("login-accepted", "two") {
		a = redirect("/")
	}
	f.setCookie(&a, f.open(u.Username, stageCode))
	f.forgetMe(&a)
	return a
}

// home is the page a browser sees at each stage.
func (f *fake) home(r *request) answer {
	_, s, ok := f.session(r)
	switch {
	case ok && s.Stage == stageCode:
		return codePage("")
	case ok && s.Stage == stageReset && r.URL.Path == "/reset.html":
		return resetPage()
	case ok && s.Stage == stageReset:
		return redirect(resetLocation)
	case ok && r.URL.Path == "/" && f.is("login-accepted", "two"):
		return redirect(landing)
	case ok && r.URL.Path != "/reset.html":
		return f.appPage()
	}
	return f.withNewCookie(redirect("/login.html"))
}

// form takes what the pages for codes and for new passwords send.
func (f *fake) form(r *request) answer {
	form := formValues(r)
	key, s, ok := f.session(r)
	switch {
	case ok && s.Stage == stageCode && form.Has("totpCode") && form.Get("submit") == "Login":
		return f.takeCode(key, s, form.Get("totpCode"))
	case ok && s.Stage == stageReset && form.Get("submit") == "Login":
		return f.takePassword(key, s, form)
	case form.Has("totpCode") && (!ok || s.Stage != stageCode):
		// The code came with another cookie than the password, or with none.
		f.st.Counters.CodesWithoutSession++
	}
	return f.home(r)
}

func (f *fake) takeCode(key string, s session, code string) answer {
	u := &f.st.Users[f.index(s.Login)]
	same := func(sent sentCode) bool { return sent.Code == code }
	usedUp := func(sent sentCode) bool { return same(sent) && sent.Accepted }
	if slices.ContainsFunc(u.Codes, same) {
		f.st.Counters.CodesReused++
	}
	good := !slices.ContainsFunc(u.Codes, usedUp) && u.TotpSid != nil && codeFits(*u.TotpSid, code, f.clock())
	u.Codes = append([]sentCode{{code, good}}, u.Codes[:min(len(u.Codes), codesKept-1)]...)
	if !good {
		f.st.Counters.CodesRejected++
		switch f.value("wrong-code") {
		case "error-fragment":
			return redirect("/#error")
		case "page":
			return codePage("")
		}
		return redirect("/?error")
	}
	f.st.Counters.CodesAccepted++
	if f.is("tfa-cookie", "new") {
		delete(f.st.Sessions, key)
		return f.enter(u, f.open(u.Username, stageFull))
	}
	s.Stage = stageFull
	if f.mustReset(u) {
		s.Stage = stageReset
	}
	f.st.Sessions[key] = s
	return f.enter(u, "")
}

// takePassword replaces a password that is expired or was set by somebody else.
func (f *fake) takePassword(key string, s session, form url.Values) answer {
	u := &f.st.Users[f.index(s.Login)]
	password := form.Get("newPassword")
	if !samePassword(u.Password, form.Get("oldPassword")) || password != form.Get("confirmNewPassword") ||
		f.passwordCode(password) != "" || u.wasUsed(password) {
		return redirect("/reset.html?error")
	}
	*u = u.withPassword(password)
	u.ChangePasswordOnNextLogin = false
	u.LastUpdateTime = f.nextUpdate(u.LastUpdateTime)
	if u.Username == serviceLogin {
		f.st.Switches["password-expired"] = "off"
	}
	s.Stage = stageFull
	f.st.Sessions[key] = s
	return f.enter(u, "")
}

// formValues decodes a form as far as it can be decoded; anything else has no
// fields.
func formValues(r *request) url.Values {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	form, _ := url.ParseQuery(string(r.body)) // a field that does not decode is left out
	return form
}

// onlyEncoded tells whether a form has nothing in it but what the encoding
// leaves as it is.
func onlyEncoded(body []byte) bool {
	return !strings.ContainsFunc(string(body), func(r rune) bool {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return false
		}
		return !strings.ContainsRune("*-._~+%=&", r)
	})
}

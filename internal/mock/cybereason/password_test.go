package cybereason_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPasswordRule(t *testing.T) {
	const long = "Aa1!aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for rule, cases := range map[string]map[string]string{
		"strict": {
			"": "badStrictPassword", "Aa1!aaa": "badStrictPassword", long: "badStrictPassword", "aa1!aaaa": "badStrictPassword",
			"AA1!AAAA": "badStrictPassword", "Aaa!aaaa": "badStrictPassword", "Aa1-aaaa": "badStrictPassword", "Aa1!-aaaa": "success",
		},
		"strict-charset": {"Aa1!-aaaa": "badStrictPassword", "Aa1!aaaa": "success"},
		"basic":          {"aaaaaaa": "badBasicPassword", long: "badBasicPassword", "aaaaaaaa": "success"},
		"off":            {"a": "success"},
	} {
		c := signedIn(t)
		c.set("password-rule", rule)
		for password, want := range cases {
			got := c.write(http.MethodPost, userPath(ada), with(newUser(ada), "password", password))
			assert.Equal(t, `"`+want+`"`, got, "%s: %q", rule, password)
			c.write(http.MethodDelete, userPath(ada), nil)
		}
	}
	c := signedIn(t)
	assert.Equal(t, `"badStrictPassword"`, c.write(http.MethodPost, userPath(ada), without(newUser(ada), "password")))
}

func TestUpdatePassword(t *testing.T) {
	c := signedIn(t)
	put := func(password any) string {
		return c.write(http.MethodPut, userPath(night), with(c.record(night), "password", password))
	}
	assert.Equal(t, `"success"`, put(goodPassword))
	assert.Equal(t, "/#/current?", c.login(night, goodPassword).header.Get("Location"))
	assert.Equal(t, `"previousPassword"`, put(seedPass))
	assert.Equal(t, `"previousPassword"`, put(goodPassword))
	assert.Equal(t, `"badStrictPassword"`, put(""))
	assert.Contains(t, put(nil), "null")
	for _, n := range "abcdefghi" {
		assert.Equal(t, `"success"`, put("Other#pass1"+string(n)))
	}
	assert.Equal(t, `"success"`, put(seedPass), "the eleventh is forgotten")
	assert.Equal(t, 14, c.count("putsWithPassword"))
	assert.Zero(t, c.count("roleChangesWithPassword"))
	body := with(with(c.record(night), "password", "Another#pass1"), "roles", []string{"api"})
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), body))
	assert.Equal(t, 1, c.count("roleChangesWithPassword"))

	c.set("put-password", "required")
	body = with(c.record(night), "roles", []string{"executive"})
	assert.Equal(t, `"badStrictPassword"`, c.write(http.MethodPut, userPath(night), body))
	assert.Equal(t, `"success"`, c.write(http.MethodPut, userPath(night), with(body, "password", "Third#pass1")))
}

func TestOwnPassword(t *testing.T) {
	c := signedIn(t)
	reset := func(pair ...string) string { return c.write(http.MethodPut, "/rest/users/reset", pair) }
	assert.Equal(t, `"incorrectPassword"`, reset("guess", goodPassword))
	assert.Equal(t, `"badStrictPassword"`, reset(servicePass, "short"))
	assert.Equal(t, `"previousPassword"`, reset(servicePass, servicePass))
	assert.Contains(t, reset(servicePass), "failedValues")
	assert.Contains(t, c.write(http.MethodPut, "/rest/users/reset", "x"), "failedValues")
	assert.Equal(t, `"success"`, reset(servicePass, goodPassword))
	assert.Equal(t, "/#/current?", c.login(service, goodPassword).header.Get("Location"))
	// Everybody may, with or without user_admin.
	c.take(c.login(night, seedPass))
	assert.Equal(t, `"success"`, reset(seedPass, goodPassword))
}

package cybereason

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"edrctl/internal/provision"
)

// stepSeconds is the time step of a code, that of the authenticator apps.
const stepSeconds = 30

// factor makes the codes of the second factor.
type factor struct{ key provision.Secret }

// newFactor checks a key, which people copy with spaces in it.
func newFactor(secret provision.Secret) (factor, error) {
	key := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, secret.Reveal())
	if key == "" {
		return factor{}, nil
	}
	f := factor{key: provision.NewSecret(key)}
	if _, err := f.code(0); err != nil {
		return factor{}, &provision.Error{
			Vendor: name, Kind: provision.ErrUsage, Message: "totp-secret is not a key in base32",
			Hint: "it is the text that the console shows when the second factor is set up, not a code of six digits",
		}
	}
	return f, nil
}

func (f factor) missing() bool { return f.key.Empty() }

// code is the code of a time step: six digits, SHA-1.
func (f factor) code(step int64) (string, error) {
	return totp.GenerateCodeCustom(f.key.Reveal(), time.Unix(step*stepSeconds, 0), totp.ValidateOpts{
		Period: stepSeconds, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
}

// usedStep is the time step whose code was sent last.
type usedStep struct {
	Step int64 `json:"step"`
}

// nextCode is a code that was not sent before, by this process or another: that
// of the present time step of the console's clock, else of the next one.
func (s *session) nextCode(ctx context.Context) (string, error) {
	for {
		var step int64
		var wait time.Duration
		err := s.cfg.Store.Update(ctx, s.steps, func(old []byte) ([]byte, error) {
			now := s.cfg.Now().Add(s.http.Skew())
			step = now.Unix() / stepSeconds
			var used usedStep
			// A step far ahead comes from a clock that was wrong then.
			if json.Unmarshal(old, &used) == nil && used.Step >= step && used.Step <= step+1 {
				wait = time.Unix((used.Step+1)*stepSeconds, 0).Sub(now)
				return old, nil
			}
			return json.Marshal(usedStep{step})
		})
		if err != nil {
			return "", &provision.Error{
				Vendor: name, Op: opSignIn, Kind: provision.KindOf(err), Message: "remembering the code of the second factor", Err: err,
			}
		}
		if wait <= 0 {
			return s.factor.code(step)
		}
		s.cfg.Log.InfoContext(ctx, "a code of the second factor is good once; waiting for the next one",
			"tenant", s.cfg.Tenant, "for", wait.Round(time.Second))
		if err := s.pause(ctx, wait); err != nil {
			return "", &provision.Error{
				Vendor: name, Op: opSignIn, Kind: provision.ErrInterrupted,
				Message: "stopped while waiting for the next code of the second factor", Err: err,
			}
		}
	}
}

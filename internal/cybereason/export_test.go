package cybereason

import (
	"context"
	"time"

	"edrctl/internal/provision"
)

// SetPause replaces how an adapter waits for the next code and between looks.
func SetPause(p provision.Provisioner, pause func(context.Context, time.Duration) error) {
	p.(*adapter).session.pause = pause
}

package plan

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// SideBySide calls work with each number below n, all at once, and waits until
// they have ended. A panic of one of them goes on in the caller: by itself it would
// end the program at once, with a report that no filter has seen.
func SideBySide(n int, work func(i int)) {
	var all sync.WaitGroup
	panics := make(chan string, n)
	for i := range n {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panics <- fmt.Sprintf("%v\n%s", p, debug.Stack())
				}
			}()
			work(i)
		})
	}
	all.Wait()
	select {
	case p := <-panics:
		panic(p)
	default:
	}
}

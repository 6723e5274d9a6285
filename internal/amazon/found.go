package amazon

import "sync"

// mostFound is how many names are remembered. When there are more, all are forgotten: names
// may be made at run time.
const mostFound = 1000

// Found remembers what a service calls the things that users name: the URLs of queues, the
// ARNs of topics. The zero value is empty. Its methods may be called by many goroutines at
// once.
type Found struct {
	mu    sync.Mutex
	names map[string]string
}

// Of returns what find has returned for a name, and calls it where that is not known yet.
func (f *Found) Of(name string, find func() (string, error)) (string, error) {
	f.mu.Lock()
	known, ok := f.names[name]
	f.mu.Unlock()
	if ok {
		return known, nil
	}
	found, err := find()
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.names == nil || len(f.names) >= mostFound {
		f.names = map[string]string{}
	}
	f.names[name] = found
	return found, nil
}

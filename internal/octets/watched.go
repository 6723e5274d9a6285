package octets

import "io"

// Watched remembers why reading failed, for decoders that say something else.
type Watched struct {
	R   io.Reader
	err error
}

func (w *Watched) Read(b []byte) (int, error) {
	n, err := w.R.Read(b)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// Cause returns why reading failed if it did, and err otherwise.
func (w *Watched) Cause(err error) error {
	if err != nil && w.err != nil {
		return w.err
	}
	return err
}

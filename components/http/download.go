package http

import (
	"fmt"
	"io"
	"net/http"
)

// readAll reads the body of a response into memory, which grows as it comes.
func (o *outgoing) readAll(res *http.Response) ([]byte, error) {
	defer res.Body.Close()
	most := o.e.most
	if most > 0 && res.ContentLength > most {
		return nil, tooLong(most)
	}
	if n := res.ContentLength; n == 0 {
		return nil, nil
	} else if n > 0 && n <= 64<<10 && res.Request.Method != http.MethodHead {
		b := make([]byte, n)
		if _, err := io.ReadFull(res.Body, b); err != nil {
			return nil, fmt.Errorf("the response was cut off: %w", err)
		}
		return b, nil
	}
	body := io.Reader(res.Body)
	if most > 0 {
		body = io.LimitReader(res.Body, most+1)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("the response was cut off: %w", err)
	}
	if most > 0 && int64(len(b)) > most {
		return nil, tooLong(most)
	}
	return b, nil
}

func tooLong(most int64) error {
	return fmt.Errorf("the response has more than the %d bytes that maxResponseSize allows", most)
}

// A download is the body of a response that is read while the route works on it. It ends by
// itself where nobody reads on for as long as a response may take.
type download struct {
	body interface {
		io.Reader
		io.Closer
	}
	left, most int64 // less than 0 for any
	o          *outgoing
}

// Read implements [io.Reader].
func (d *download) Read(p []byte) (int, error) {
	if d.most > 0 && int64(len(p)) > d.left+1 {
		p = p[:d.left+1]
	}
	n, err := d.body.Read(p)
	if d.most > 0 {
		if d.left -= int64(n); d.left < 0 {
			_ = d.Close()
			return n - 1, tooLong(d.most)
		}
	}
	if err != nil {
		_ = d.Close()
		return n, err
	}
	d.o.timer.Reset(d.o.e.timeout)
	return n, nil
}

// Close ends the request.
func (d *download) Close() error {
	d.o.timer.Stop()
	d.o.detach()
	err := d.body.Close()
	d.o.cancel(nil)
	return err
}

package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// An objectList is the answer to a LIST.
type objectList struct {
	metav1.ListMeta `json:"metadata"`
	Items           []object `json:"items"`
}

// A change is what a list or one event of a watch tells.
type change struct {
	objects []object
	deleted bool // they are gone
}

// watchTime is how long the API server keeps a watch open, plus up to as much
// again, so that the watches of many replicas do not end together.
const watchTime = 5 * time.Minute

// follow yields all objects of a resource that query selects, in one change, then
// each change to one of them, in the order of their versions. It ends with ctx or
// an error, such as 410 when it is too late to go on from where it was.
func (c *client) follow(ctx context.Context, path string, query url.Values, metadataOnly bool) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		list, item := whole, whole
		if metadataOnly {
			list, item = listing, metadata
		}
		var all objectList
		if err := c.do(ctx, request{method: http.MethodGet, path: path, query: query, accept: list}, &all); err != nil {
			yield(change{}, err)
			return
		}
		if !yield(change{objects: all.Items}, nil) {
			return
		}
		at := all.ResourceVersion
		for {
			began := time.Now()
			for ev, err := range c.watch(ctx, path, query, item, at) {
				if err != nil {
					yield(change{}, err)
					return
				}
				newer, err := after(ev.object.ResourceVersion, at)
				if err != nil {
					yield(change{}, err)
					return
				}
				if !newer {
					continue
				}
				at = ev.object.ResourceVersion
				if ev.Type != "BOOKMARK" && !yield(change{objects: []object{ev.object}, deleted: ev.Type == "DELETED"}, nil) {
					return
				}
			}
			if ctx.Err() != nil {
				return
			}
			if time.Since(began) < time.Second {
				yield(change{}, errors.New("the API server ends the watch at once"))
				return
			}
		}
	}
}

func after(resourceVersion, at string) (bool, error) {
	v, err := version(resourceVersion)
	if err != nil {
		return false, err
	}
	was, err := version(at)
	return v > was, err
}

// An event is one line of a watch.
type event struct {
	Type   string
	Object json.RawMessage
	object object
}

// watch yields the events after the version at, until the API server ends it.
func (c *client) watch(ctx context.Context, path string, query url.Values, accept, at string) iter.Seq2[event, error] {
	return func(yield func(event, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		slow := time.AfterFunc(c.timeout, func() { cancel(errSlow(c.timeout)) })
		q := maps.Clone(query)
		if q == nil {
			q = url.Values{}
		}
		q.Set("watch", "1")
		q.Set("allowWatchBookmarks", "true")
		q.Set("resourceVersion", at)
		q.Set("timeoutSeconds", strconv.Itoa(int((watchTime + rand.N(watchTime)).Seconds())))
		body, err := c.open(ctx, request{method: http.MethodGet, path: path, query: q, accept: accept})
		if !slow.Stop() && err == nil {
			err = errors.Join(errSlow(c.timeout), body.Close())
		}
		if err != nil {
			yield(event{}, err)
			return
		}
		defer hangUp(body)
		lines := json.NewDecoder(body)
		for {
			ev := event{}
			switch err := ev.read(lines); {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(event{}, because(ctx, err))
				return
			case !yield(ev, nil):
				return
			}
		}
	}
}

// read decodes the next event.
func (ev *event) read(lines *json.Decoder) error {
	if err := lines.Decode(ev); err != nil {
		return err
	}
	switch ev.Type {
	case "ADDED", "MODIFIED", "DELETED", "BOOKMARK":
		return json.Unmarshal(ev.Object, &ev.object)
	case "ERROR":
		s := metav1.Status{}
		if err := json.Unmarshal(ev.Object, &s); err != nil {
			return err
		}
		return &refusal{s}
	}
	return fmt.Errorf("unknown event %q in a watch", ev.Type)
}

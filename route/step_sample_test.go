package route_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

func TestSample(t *testing.T) {
	for _, test := range []struct {
		options []route.SampleOptions
		want    []int // of 12, one each 400 ms
	}{
		{nil, []int{0, 3, 6, 9}},
		{[]route.SampleOptions{{Period: 2 * time.Second}}, []int{0, 5, 10}},
		{[]route.SampleOptions{{Period: time.Nanosecond}}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{[]route.SampleOptions{{Every: 5}}, []int{4, 9}},
		{[]route.SampleOptions{{Every: 1}}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got []int
			k := start(t, route.Config{}, route.From("in:x").
				Pipeline(route.Do().Sample(test.options...).Script(func(ex *route.Exchange) any {
					got = append(got, ex.Body.(int))
					return nil
				})).SetBody("all come here"))
			for i := range 12 {
				if k.send(t, "x", i) != "all come here" {
					t.Error("a sample ends more than its block")
				}
				time.Sleep(400 * time.Millisecond)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v: %v, want %v", test.options, got, test.want)
			}
		})
	}
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Sample(route.SampleOptions{Period: -1, Every: -2}).
		Sample(route.SampleOptions{Period: 1, Every: 2}).
		Sample(route.SampleOptions{}, route.SampleOptions{})),
		"sample one of -2: want a Period and an Every that are not negative, have -1ns and -2",
		"sample one of -2: want a Period or an Every, have both",
		"sample one of 2: want a Period or an Every, have both",
		"sample one in 1s: want one route.SampleOptions, have 2")
}

package route_test

import (
	"testing"

	"github.com/mehari-go/mehari/language/simple"
	"github.com/mehari-go/mehari/route"
)

// A component can give its options the simple language.
func TestScopeForComponents(t *testing.T) {
	name, err := simple.Parse("${header.folder}/${body}.txt")
	if err != nil {
		t.Fatal(err)
	}
	ex := route.NewExchange("orders")
	defer ex.Release()
	ex.SetHeader("Folder", "in")
	got, err := name.Append(t.Context(), nil, ex.Scope())
	if err != nil || string(got) != "in/orders.txt" {
		t.Errorf("%q, %v", got, err)
	}
}

package json_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/mehari-go/mehari/dataformat/json"
)

func Example() {
	format := json.Format{Indent: "  "}

	var order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	if err := format.Unmarshal(strings.NewReader(`{"item": "tea", "count": 2}`), &order); err != nil {
		fmt.Println(err)
	}
	order.Count++
	if err := format.Marshal(os.Stdout, order); err != nil {
		fmt.Println(err)
	}

	// Output:
	// {
	//   "item": "tea",
	//   "count": 3
	// }
}

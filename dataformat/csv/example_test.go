package csv_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/mehari-go/mehari/dataformat/csv"
)

func Example() {
	type Order struct {
		Item  string `csv:"item"`
		Count int    `csv:"count"`
	}
	var orders []Order
	err := csv.Format{}.Unmarshal(strings.NewReader("count,item,color\n2,tea,green\n1,cup,\n"), &orders)
	fmt.Println(orders, err)

	err = csv.Format{Delimiter: ';', LF: true}.Marshal(os.Stdout, orders)
	fmt.Println(err)

	err = csv.Format{}.Unmarshal(strings.NewReader("count,item\nmany,tea\n"), &orders)
	fmt.Println(err)

	// Output:
	// [{tea 2} {cup 1}] <nil>
	// item;count
	// tea;2
	// cup;1
	// <nil>
	// line 2, column "count": cannot convert string "many" to int: want a whole number in decimal digits
}

// A long text is read row by row. In a route, Rows is what Split goes through.
func ExampleFormat_Rows() {
	for row, err := range (csv.Format{}).Rows(strings.NewReader("item,count\ntea,2\ncup,1\n")) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.(map[string]string)["item"])
	}

	// Output:
	// tea
	// cup
}

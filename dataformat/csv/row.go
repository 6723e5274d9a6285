package csv

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/mehari-go/mehari/internal/convert"
	"github.com/mehari-go/mehari/internal/tagged"
)

var (
	stringType = reflect.TypeFor[string]()
	rowType    = reflect.TypeFor[map[string]string]()
	cellsType  = reflect.TypeFor[[]string]()
)

// natural is the type of a row if nothing else is asked for.
func (t *table) natural() reflect.Type {
	if t.header == nil {
		return cellsType
	}
	return rowType
}

// row returns a row of the natural type.
func (t *table) row(cells []string) any {
	if t.header == nil {
		return slices.Clone(cells)
	}
	row := make(map[string]string, len(cells))
	for i, cell := range cells {
		row[t.header[i]] = cell
	}
	return row
}

// A filler stores cells in a row.
type filler func(row reflect.Value, cells []string) error

// filler returns that for a type of row.
func (t *table) filler(row reflect.Type) (filler, error) {
	switch {
	case row == t.natural() || row.Kind() == reflect.Interface && row.NumMethod() == 0:
		return func(row reflect.Value, cells []string) error {
			row.Set(reflect.ValueOf(t.row(cells)))
			return nil
		}, nil
	case row.Kind() == reflect.Pointer && row.Elem().Kind() == reflect.Struct:
		fill, err := t.filler(row.Elem())
		return func(row reflect.Value, cells []string) error {
			row.Set(reflect.New(row.Type().Elem()))
			return fill(row.Elem(), cells)
		}, err
	case row.Kind() == reflect.Struct:
		return t.structFiller(row), nil
	case row.Kind() == reflect.Map && row.Key().Kind() == reflect.String && t.header != nil:
		return t.fillMap, nil
	case row.Kind() == reflect.Slice && row.Elem().Kind() != reflect.Uint8:
		return t.fillSlice, nil
	case t.header == nil:
		return nil, fmt.Errorf("want rows of type []string or struct where there is no header, have %s", row)
	}
	return nil, fmt.Errorf("want rows of type map[string]string, []string or struct, have %s", row)
}

// structFiller fills structs by the names of the columns or, without a header, in their order.
func (t *table) structFiller(row reflect.Type) filler {
	type target struct {
		column int
		index  []int
	}
	var targets []target
	for i, f := range tagged.Fields(row, "csv") {
		if t.header != nil {
			var ok bool
			if i, ok = t.columns[f.Name]; !ok {
				continue
			}
		}
		targets = append(targets, target{i, f.Index})
	}
	return func(row reflect.Value, cells []string) error {
		for _, to := range targets {
			if to.column >= len(cells) {
				continue
			}
			if err := t.set(row.FieldByIndex(to.index), cells, to.column); err != nil {
				return err
			}
		}
		return nil
	}
}

func (t *table) fillMap(row reflect.Value, cells []string) error {
	row.Set(reflect.MakeMapWithSize(row.Type(), len(cells)))
	for i := range cells {
		cell := reflect.New(row.Type().Elem()).Elem()
		if err := t.set(cell, cells, i); err != nil {
			return err
		}
		row.SetMapIndex(reflect.ValueOf(t.header[i]).Convert(row.Type().Key()), cell)
	}
	return nil
}

func (t *table) fillSlice(row reflect.Value, cells []string) error {
	row.Set(reflect.MakeSlice(row.Type(), len(cells), len(cells)))
	for i := range cells {
		if err := t.set(row.Index(i), cells, i); err != nil {
			return err
		}
	}
	return nil
}

// set stores the cell of a column.
func (t *table) set(to reflect.Value, cells []string, column int) error {
	cell := cells[column]
	if to.Type() == stringType {
		to.SetString(cell)
		return nil
	}
	if cell == "" && to.Kind() != reflect.Interface {
		return nil
	}
	v, err := convert.To(cell, to.Type())
	if err != nil {
		return t.wrong(column, err)
	}
	to.Set(reflect.ValueOf(v))
	return nil
}

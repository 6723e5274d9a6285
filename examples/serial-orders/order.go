package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/route"
)

// An Order is what a customer wants, under an id of the customer's choice: the same id is
// the same order, however often it is sent.
type Order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Amount   int64  `json:"amount"`
}

// read makes the body an Order. The error is for the client.
func read(_ context.Context, ex *route.Exchange) error {
	var o Order
	body, _ := ex.Body.([]byte)
	err := json.Unmarshal(body, &o)
	o.ID, _ = ex.Header("id").(string) // {id} in the path
	switch {
	case err != nil:
	case o.ID == "" || len(o.ID) > 100:
		err = fmt.Errorf("want an id of 1 to 100 bytes, have %q", o.ID)
	case o.Customer == "" || len(o.Customer) > 100:
		err = fmt.Errorf("want a customer of 1 to 100 bytes, have %q", o.Customer)
	case o.Amount < 1 || o.Amount > 1e6:
		err = fmt.Errorf("want an amount of 1 to 1000000, have %d", o.Amount)
	}
	if err != nil {
		return &http.ReplyError{Status: 400, Message: `want an order like {"customer": "ada", "amount": 5}: ` + err.Error(), Err: err}
	}
	ex.Body = o
	return nil
}

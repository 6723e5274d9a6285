package kafka_test

import (
	"fmt"

	"github.com/mehari-go/mehari/components/kafka"
)

func ExampleConfig_URI() {
	fmt.Println(kafka.Config{Topic: "orders", GroupID: "billing", AutoOffsetReset: kafka.Earliest, ConcurrentConsumers: 8}.URI())
	// Output: kafka:orders?autoOffsetReset=earliest&concurrentConsumers=8&groupId=billing
}

module github.com/mehari-go/mehari/test/brokers

go 1.26.0

replace github.com/mehari-go/mehari => ../..

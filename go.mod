module github.com/mehari-go/mehari

go 1.26.0

package telegram

// For the tests.
var (
	SplitText = split
	Kinds     = kindsOfUpdates
)

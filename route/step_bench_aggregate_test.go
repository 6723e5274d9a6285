package route_test

var aggregateSteps = []benchStep{}

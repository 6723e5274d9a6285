package route_test

var stateSteps = []benchStep{}

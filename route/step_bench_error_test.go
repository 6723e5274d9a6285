package route_test

var errorSteps = []benchStep{}

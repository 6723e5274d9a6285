package route_test

var formatSteps = []benchStep{}

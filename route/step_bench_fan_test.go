package route_test

var fanSteps = []benchStep{}

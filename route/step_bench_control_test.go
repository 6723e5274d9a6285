package route_test

var controlSteps = []benchStep{}

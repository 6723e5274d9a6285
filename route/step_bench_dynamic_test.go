package route_test

var dynamicSteps = []benchStep{}

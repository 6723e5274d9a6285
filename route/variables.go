package route

import (
	"iter"
	"maps"
	"strings"
	"sync"
)

// Variables are named values that routes keep, besides those of an exchange: those of the
// engine, whose names begin with "global:", and those of a route, "route:id:".
const (
	globalVariable = "global:"
	routeVariable  = "route:"
)

// sharedVariables are those that exchanges share. The zero value has none.
type sharedVariables struct {
	mu     sync.RWMutex
	values map[string]any
}

// shared tells whether a variable of that name is one that exchanges share.
func shared(name string) bool {
	return strings.HasPrefix(name, globalVariable) || strings.HasPrefix(name, routeVariable)
}

func (v *sharedVariables) get(name string) any {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.values[strings.ToLower(name)]
}

func (v *sharedVariables) set(name string, value any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.values == nil {
		v.values = map[string]any{}
	}
	v.values[strings.ToLower(name)] = value
}

func (v *sharedVariables) remove(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.values[strings.ToLower(name)]
	delete(v.values, strings.ToLower(name))
	return ok
}

func (v *sharedVariables) removeAll(match func(name string) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.DeleteFunc(v.values, func(name string, _ any) bool { return match(name) })
}

// Variable returns the variable called name, or nil. Names compare without case. One that
// begins with "global:" is the engine's, one that begins with "route:" and the id of a
// route that route's, which all exchanges share; others are the exchange's own. Shared
// ones are only there in an exchange that is in a route.
func (ex *Exchange) Variable(name string) any {
	if shared(name) {
		ex.guard()
		if ex.at == nil {
			return nil
		}
		return ex.at.engine.variables.get(name)
	}
	if ex.variables == nil {
		ex.guard()
		return nil
	}
	return ex.fields(inVariables).get(named(name))
}

// SetVariable stores value under name. In an exchange that is in no route, shared
// variables cannot be set; it does nothing.
func (ex *Exchange) SetVariable(name string, value any) {
	if shared(name) {
		ex.guard()
		if ex.at != nil {
			ex.at.engine.variables.set(name, value)
		}
		return
	}
	n := named(name)
	ex.fields(inVariables).set(&n, value)
}

// RemoveVariable takes the variable called name away and tells whether it was there.
func (ex *Exchange) RemoveVariable(name string) bool {
	if shared(name) {
		ex.guard()
		return ex.at != nil && ex.at.engine.variables.remove(name)
	}
	return ex.fields(inVariables).remove(func(n string) bool { return equalFold(n, name) }) > 0
}

// Variables yields the exchange's own variables in the order in which they were first
// set.
func (ex *Exchange) Variables() iter.Seq2[string, any] { return ex.fields(inVariables).all() }

// Variable returns a variable that exchanges share, or nil: see [Exchange.Variable].
func (e *Engine) Variable(name string) any { return e.variables.get(name) }

// SetVariable stores a variable that exchanges share.
func (e *Engine) SetVariable(name string, value any) { e.variables.set(name, value) }

package route

// trial returns a clone that stands for ex, with its id and at its place, until it is
// known whether ex becomes what the clone has become. The one who asks releases it.
func (ex *Exchange) trial() *Exchange {
	t := ex.Clone()
	t.flight, t.id, t.stopped = ex.flight, ex.identify(), false
	return t
}

// become makes ex what t is; t is then what ex was.
func (ex *Exchange) become(t *Exchange) {
	ex.Body, t.Body = t.Body, ex.Body
	ex.headers, t.headers = t.headers, ex.headers
	ex.properties, t.properties = t.properties, ex.properties
	ex.variables, t.variables = t.variables, ex.variables
	ex.claims, t.claims = t.claims, ex.claims
	ex.stopped, t.stopped = t.stopped, ex.stopped
}

// Package http makes routes speak HTTP: [New] makes the component of endpoints that send
// requests, "http:" and "https:", and [NewServer] that of endpoints that answer them,
// "http-server:", also known as "platform-http:".
//
//	server := http.NewServer(http.ServerOptions{})
//	client := http.New(http.Options{})
//	cfg := route.Config{Components: route.Components{
//		"http-server": server, "platform-http": server, "http": client, "https": client,
//	}}
//	route.From("http-server:0.0.0.0:8080/orders/{id}?httpMethodRestrict=GET").
//		To("https://shop.example/api/orders")
//
// No header of a message steers a request unless the endpoint says so with controlHeaders,
// and none whose name begins with Camel comes in from the network or goes out to it.
package http

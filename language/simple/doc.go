// Package simple implements Apache Camel's simple language: text with functions
// in it, such as
//
//	Order ${header.id} of ${body} at ${date:now:HH:mm:ss}
//
// [Parse] reads a template once; the [Template] is then evaluated for each
// message against a [language.Scope], which is whatever holds the message.
//
// # Functions
//
//	${body}                       the body
//	${bodyType}                   the Go type of the body, as text
//	${header.x}                   a header; also headers.x, header:x, header[x], header['x y']
//	${exchangeProperty.x}         a property of the exchange, in the same forms
//	${exchangeId}                 the id of the exchange
//	${routeId}                    the id of the route the exchange is in
//	${fromRouteId}                the id of the route that made the exchange
//	${exception}                  the error of the exchange
//	${exception.message}          its message, as text
//	${date:command}               a time
//	${date:command:pattern}       a time as text
//	${date-with-timezone:command:zone:pattern}
//
// The name of a header or property may have dots in it (${header.kafka.TOPIC});
// one with spaces, brackets, colons or quotes is written in quotes. What is not
// there is nil, and as text it is empty.
//
// # Dates
//
// The command is now, millis (now as milliseconds since 1970, unless there is a
// pattern), header.x or exchangeProperty.x; the value of those two is a
// [time.Time] or an integer, milliseconds since 1970. Offsets may follow:
// now-1h30m, now+1d, header.due - 500ms. Their units are d (24 hours), h, m, s and
// ms, in that order; a number alone is milliseconds. So a name may have a minus in
// it before a letter (header.Last-Modified) but not before a digit.
//
// The zone is a name of the tz database (Europe/Rome) or an offset (GMT+02:00,
// +0200). Without one a time.Time is shown in its own zone and everything else in
// the local one.
//
// Patterns are those of Java's SimpleDateFormat, in English:
//
//	G  era                   y  year (yy: two digits)       M L  month (MMM: Jul, MMMM: July)
//	D  day of the year       d  day of the month            F    which such weekday of the month
//	E  weekday (EEEE: full)  u  weekday, Monday is 1        a    AM or PM
//	H  hour 0-23             k  hour 1-24                   K    hour 0-11
//	h  hour 1-12             m  minute                      s    second
//	S  millisecond           z  zone (CET, GMT+02:00)       Z    zone (+0200)
//	X  zone (+02 or Z); XX is +0200 and XXX is +02:00
//
// Text stands in single quotes; two of them are one. The letters Y, w and W, whose
// meaning depends on the country, and more letters than have a meaning (SSSS, XXXX,
// zzzz) are errors.
//
// # Text
//
// Outside of functions all is text, except for the escapes \n, \t, \r and \}, which
// also work inside of functions. Any other backslash is a backslash. $simple{…} is
// the same as ${…}. Camel has no way to write a function as text; here, $\{body} is
// the text ${body}.
package simple

// Package simple implements Apache Camel's simple language: text with functions
// in it, such as
//
//	Order ${header.id} of ${body.customer.name} at ${date:now:HH:mm:ss}
//
// and conditions, such as
//
//	${header.type} == 'gold' && ${body.amount} > 100
//
// [Parse] reads a text and [ParsePredicate] a condition, once; the [Template] or the
// [Predicate] is then evaluated for each message against a [language.Scope], which is
// whatever holds the message.
//
// In a text, what is outside of functions stands for itself, but for three operators that
// follow a function: ?:, ~> and ?~>, and ++ and --. All operators work in a condition, and
// inside of the braces of a function, where functions need no braces of their own:
//
//	${header.n > 3 ? 'many' : 'few'}
//
// # Parts of the message
//
//	${body}                       the body
//	${bodyAs(type)}               the body as a type; also mandatoryBodyAs, where nil is an error
//	${bodyType}                   the Go type of the body, as text
//	${bodyOneLine}                the text of the body without line breaks
//	${header.x}                   a header; also headers.x, header:x, header[x], header['x y']
//	${headerAs(x,type)}           a header as a type
//	${headers}                    all headers, a map; also headers.size
//	${exchangeProperty.x}         a property of the exchange, in the forms of header
//	${variable.x}                 a variable, in the forms of header; also variables
//	${variableAs(x,type)}         a variable as a type
//	${exchangeId}                 the id of the exchange
//	${routeId}                    the id of the route the exchange is in
//	${fromRouteId}                the id of the route that made the exchange
//	${exception}                  the error of the exchange
//	${exception.message}          its message, as text
//	${messageTimestamp}           the header CamelMessageTimestamp as an int64, or 0
//	${properties:key:default}     the value of the placeholder {{key}}, when it is asked for
//	${propertiesExist:key}        whether it has one; also propertiesExist:!key
//	${ref:x}                      what the program has registered as x
//	${function(x,value)}          what the function registered as x makes of the body, or a value
//	${setHeader(x,type,value)}    nil; stores a value in a header, and nil removes it; without type too
//	${setVariable(x,type,value)}  nil; stores a value in a variable
//	${convertTo(value,type)}      a value as a type
//	${int:header.x}               a function's value as a type: int, integer, long, boolean, string
//	${kindOfType(value)}          null, number, string, boolean, array or object
//	${val(value)}  ${null}        the value; nil
//	${throwException(message)}    an error
//
// What follows a part leads into it: ${body.address.lines[0]}. A name means the key of a
// map, or the field of a struct: by its json tag, its name, its name without regard to
// case, or a getter of that name (getCity is City); a [language.Object] is asked first.
// Methods are not called. Elements of lists are [0], [last], [last-1]; keys with other
// letters ['x y']. Lists, maps and texts have size, length and isEmpty. A map without the
// key gives nil; a struct without the field, or a list without the element, is an error,
// and so is a member of nil, unless it is written with "?": ${body?.address?.city}. What
// is inside of a body, header or variable that is nil is nil.
//
// The name of a header, property or variable may have dots in it (${header.kafka.TOPIC}):
// the longest name that there is counts, and the rest leads into it. One with spaces,
// brackets, colons or quotes is written in quotes. What is not there is nil, and as text it
// is empty.
//
// # Conditions
//
//	${iif(condition,yes,no)}      like condition ? yes : no
//	${not(condition)}             the opposite
//	${assert(condition,message)}  nil, or an error
//	${contains(value,part)}       whether a text or a list has a part in it, without regard to case
//	${isEmpty(value)}             whether it is nil, or a text, list or map with nothing in it
//	${isAlpha(value)}             whether all characters are letters; also isAlphaNumeric, isNumeric
//
// # Functions of values
//
// Without a value, they are functions of the body. Lists can be slices and arrays, and
// texts with commas between the elements. No function changes what it is given.
//
//	trim  uppercase  lowercase  capitalize  normalizeWhitespace  quote  unquote  safeQuote
//	length  base64Encode  base64Decode
//	substring(head,tail,value)    without that many characters at its ends; substring(-3) is without the last 3
//	substringBefore(value,part)   what comes before a part, or nil; also substringAfter
//	substringBetween(value,a,b)   what comes after a and before b, or nil
//	replace(from,to,value)        &quot; &apos; &lt; &gt; &amp; and &empty; stand for characters, and none
//	pad(value,width,filling)      filled up at the end, or, if width is negative, at the start
//	concat(a,b,separator)  join(separator,prefix,list)  split(value,separator)
//	escape(kind,value)            for html, xml, json, js, sql or url
//	hash(value,algorithm)         hexadecimal: SHA-256 if none is given, MD5, SHA-1, SHA-384, SHA-512, SHA3-256, SHA3-512
//	toJson  toPrettyJson          a value in JSON, a text as it is; also toJsonBody, toPrettyJsonBody
//	pretty  prettyBody            a text, with lines and indents if it is JSON
//
//	abs  ceil  floor              of a number
//	sum  average  max  min        of any number of numbers and lists
//	range(min,max)  random(min,max)  without max
//
//	list(a,b,…)  map(key,value,…)  createEmpty(list), map, set or string; also newEmpty and empty
//	size  reverse(a,…)  distinct(a,…)  shuffle(a,…)  sort(list,true)  skip(list,n)  collate(list,n)
//	filter(list,condition)  forEach(list,value)   in which the body is the element
//	listAdd(list,a)  listRemove(list,a)           a number is a place, last the last one
//	mapAdd(map,key,value)  mapRemove(map,key)
//
//	uuid(kind)                    random (the default), simple (its digits) or short (16 digits)
//	env.X  sysenv.X  hostname     of the system
//
// Arguments are texts in quotes, in which there may be functions, or without quotes if they
// have no comma or parenthesis; numbers; true, false, null; or functions. Types are string,
// bool, int, int64, float64, number, []byte, time.Time, map, list, error, those of packages
// (*shop.Order, for is), and Camel's names for these (String, Integer, Long, Double,
// Boolean, byte[], Map, List). A conversion loses nothing: 1.5 is not an int.
//
// Not in this language are Camel's functions for classes and its virtual machine (bean,
// type, camelContext, camelId, exchange, messageAs, sys, threadId, threadName), for what
// messages do not have here (attachments, id, messageHistory, originalBody, routeGroup,
// stepId, load), and what needs a library (jq, jsonpath and xpath, which are languages of
// their own, simpleJsonpath, the html and a2a functions); nor $init blocks.
//
// # Dates
//
//	${date:command}               a time
//	${date:command:pattern}       a time as text
//	${date-with-timezone:command:zone:pattern}
//
// The command is now, millis (now as milliseconds since 1970, unless there is a
// pattern), header.x, variable.x or exchangeProperty.x; the value of those three is a
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
// # Operators
//
// They have blanks around them, from what binds most to what binds least:
//
//	!f  f++  f--             the opposite of a function; a number that is one greater, or less
//	f ~> g  f ?~> g          g, with what f gives as the body and as $param; ?~> stops at nil
//	== !=  equals !equals    equal; equals compares texts alone
//	=~ !=~                   equal without regard to case
//	> >= < <=                greater, less
//	contains !contains       a text has another in it, a list an element, a map a key
//	~~ !~~                   the same without regard to case
//	startsWith endsWith      with a text, also !startsWith, !endsWith
//	regex !regex             the whole text matches a regular expression of package regexp
//	in !in                   equal to one of a list: 'gold,silver'
//	is !is                   has a type: 'string'
//	range !range             a number between two others, both included: 1..100
//	a ?: b                   a, or b if a is nil, false, 0, or an empty or blank text or list
//	&& ||                    and, or: from left to right, neither before the other
//	a ? b : c                b if a holds, else c
//
// Their operands are functions, texts in single or double quotes, in which there may be
// functions, numbers, true, false and null. Braces group: ${a} && ${header.b || header.c}.
//
// The right side is taken as what the left one is, or else the other way round: a number
// and the text of one compare as numbers, exactly; a bool, and a time, with the text of
// one. Two texts of digits alone compare as numbers (0001 is equal to 1), other texts
// letter by letter: write a decimal number without quotes. What cannot be compared is not
// equal; to ask which is greater is an error. Nil is equal to nil alone, and neither
// greater nor less than anything (in Camel, null < null holds).
//
// A value that is not a bool holds unless it is nil, an empty or blank text, the text
// false, or an empty list or map.
//
// # Limits
//
// Functions and texts stand at most 50 deep inside of each other, and a text has at most
// 1000 operators. Regular expressions that are constants are compiled with the text; one
// that comes from a message is compiled each time, and has at most 1000 bytes. Functions
// make texts of at most 64 MiB and ranges of a million numbers. Errors tell the type of a
// value and not the value, which may be secret.
//
// # Text
//
// Outside of functions all is text, except for the escapes \n, \t, \r and \}, which
// also work inside of functions. Any other backslash is a backslash. $simple{…} is
// the same as ${…}. Camel has no way to write a function as text; here, $\{body} is
// the text ${body}.
package simple

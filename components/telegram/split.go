package telegram

import (
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"
)

// The most characters of texts and captions: https://core.telegram.org/bots/api#sendmessage
// and #sendphoto.
const (
	maxText    = 4096
	maxCaption = 1024
)

// parts makes several requests of one whose text is too long. What is marked up stays as it
// is: Telegram counts without the marks, and a cut might go through one.
func (r *request) parts(long LongText) ([]*request, error) {
	if r.params["parse_mode"] != "" {
		return []*request{r}, nil
	}
	if n := utf8.RuneCountInString(r.params["caption"]); n > maxCaption {
		return nil, fmt.Errorf("%s: the caption has %d characters, want at most %d", r.method, n, maxCaption)
	}
	text := r.params["text"]
	n := utf8.RuneCountInString(text)
	if n <= maxText || r.method != "sendMessage" && r.method != "editMessageText" {
		return []*request{r}, nil
	}
	if long == Refuse || r.method != "sendMessage" || r.params["entities"] != "" {
		return nil, fmt.Errorf("%s: the text has %d characters, want at most %d", r.method, n, maxText)
	}
	var all []*request
	for _, part := range split(text, maxText) {
		if strings.TrimSpace(part) == "" {
			continue // which Telegram refuses
		}
		p := maps.Clone(r.params)
		p["text"] = part
		if len(all) > 0 {
			delete(p, "reply_parameters")
		}
		all = append(all, &request{method: r.method, params: p})
	}
	for _, one := range all[:max(0, len(all)-1)] {
		delete(one.params, "reply_markup") // the keyboard goes under the last
	}
	if len(all) == 0 {
		return []*request{r}, nil
	}
	return all, nil
}

// split cuts a text into parts of at most a number of characters, which together are the
// text: after the last line that fits, or after the last word, or anywhere if those are long.
func split(text string, most int) (parts []string) {
	for {
		end, n := len(text), 0
		for i := range text {
			if n == most {
				end = i
				break
			}
			n++
		}
		if end == len(text) {
			return append(parts, text)
		}
		for _, mark := range []string{"\n", " "} {
			if i := strings.LastIndex(text[:end], mark); i >= end/2 {
				end = i + 1
				break
			}
		}
		parts, text = append(parts, text[:end]), text[end:]
	}
}

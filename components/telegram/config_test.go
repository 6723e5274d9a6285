package telegram_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/route"
)

func TestBadOptions(t *testing.T) {
	for uri, want := range map[route.URI]string{
		"telegram:":                                                                 `nothing after "telegram:"`,
		"telegram:groups?authorizationToken=1":                                      `path: want telegram:bots, have "groups"`,
		"telegram:bots":                                                             `option "authorizationToken" is missing`,
		"telegram:bots?authorizationToken=a/b":                                      `option "authorizationToken": want it as BotFather gave it, such as 123456:ABC-def, have 3 characters of another form`,
		"telegram:bots?limit=101":                                                   `option "limit": want 1 to 100, have 101`,
		"telegram:bots?timeout=60":                                                  `option "timeout": want 0 to 50 seconds, have 60`,
		"telegram:bots?timeout=30s":                                                 `option "timeout"`,
		"telegram:bots?allowedUpdates=default,message":                              `want default alone`,
		"telegram:bots?allowedUpdates=a-b":                                          `want kinds such as message, have "a-b"`,
		"telegram:bots?maximumRedeliveries=-2":                                      `want -1 (without end) or more, have -2`,
		"telegram:bots?redeliveryDelay=-1":                                          `option "redeliveryDelay": want 0 or more`,
		"telegram:bots?requestTimeout=-1":                                           `option "requestTimeout"`,
		"telegram:bots?baseUri=ftp://x":                                             `option "baseUri": want an address such as https://api.telegram.org`,
		"telegram:bots?baseUri=http://u:p4ss@x":                                     `option "baseUri"`,
		"telegram:bots?chatId=me":                                                   `option "chatId": want a number or @name, have "me"`,
		"telegram:bots?parseMode=bold":                                              `option "parseMode": want one of ["HTML" "Markdown" "MarkdownV2"], have "bold"`,
		"telegram:bots?longText=cut":                                                `option "longText": want one of ["split" "error"], have "cut"`,
		"telegram:bots?chatInterval=-1":                                             `option "chatInterval"`,
		"telegram:bots?maximumRetryAfter=-1":                                        `option "maximumRetryAfter"`,
		"telegram:bots?maximumFileSize=-1":                                          `option "maximumFileSize"`,
		"telegram:bots?webhookListen=:1":                                            `option "webhookListen" has a meaning with webhookExternalUrl only`,
		"telegram:bots?webhookExternalUrl=https://x":                                `option "webhookListen" is missing`,
		"telegram:bots?webhookExternalUrl=x&webhookListen=:1":                       `option "webhookExternalUrl": want an address`,
		"telegram:bots?webhookExternalUrl=https://x&webhookListen=:1&webhookPath=y": `option "webhookPath": want it to begin with /`,
		"telegram:bots?webhookExternalUrl=https://x&webhookListen=:1&webhookSecretToken=a.b":    `option "webhookSecretToken": want 1 to 256 letters, digits, _ and -`,
		"telegram:bots?webhookExternalUrl=https://x&webhookListen=:1&webhookMaxConnections=101": `option "webhookMaxConnections": want 1 to 100, have 101`,
		"telegram:bots?authorisationToken=1":                                                    `unknown option "authorisationToken" (did you mean authorizationToken?)`,
	} {
		c := telegram.New(telegram.WithToken("1:a"))
		if strings.HasSuffix(string(uri), ":bots") {
			c = telegram.New()
		}
		addr, err := uri.Parse()
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Endpoint(route.Env{Logger: slog.New(slog.DiscardHandler)}, addr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", string(uri), err, want)
		} else if strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%s: %v shows a password", uri, err)
		}
	}
}

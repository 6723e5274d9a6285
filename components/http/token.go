package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/mehari-go/mehari/route"
)

// tokens asks an OAuth 2.0 server for tokens by client credentials, RFC 6749, section 4.4, and
// keeps the latest one for as long as it holds.
type tokens struct {
	config Config
	client *resty.Client

	turn    chan struct{} // has room for the one who may look at the rest
	token   string
	expires time.Time
}

// How long before its end a token is not used any more, and how long one holds that does not
// say how long it does; both as in Camel.
const (
	tokenMargin  = 5 * time.Second
	tokenDefault = time.Hour
	maxToken     = 1 << 20
)

func (c Config) tokenKey() string {
	only := Config{
		OAuth2ClientID: c.OAuth2ClientID, OAuth2ClientSecret: c.OAuth2ClientSecret, OAuth2TokenEndpoint: c.OAuth2TokenEndpoint,
		OAuth2Scope: c.OAuth2Scope, OAuth2BodyAuthentication: c.OAuth2BodyAuthentication,
	}
	return string(route.Encode("oauth2", only)) + " " + c.poolKey()
}

func newTokens(c Config, p *pool) *tokens {
	at, _ := url.Parse(c.OAuth2TokenEndpoint) // it was checked
	return &tokens{config: c, client: (&destination{base: at, pool: p}).client(Config{}), turn: make(chan struct{}, 1)}
}

// get returns a token. Those who come while one asks for it wait.
func (t *tokens) get(ctx context.Context) (string, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-t.turn }()
	if t.token != "" && time.Now().Before(t.expires) {
		return t.token, nil
	}
	token, holds, err := t.ask(ctx)
	if err != nil {
		return "", fmt.Errorf("a token from %s: %w", t.where(), err)
	}
	t.token, t.expires = token, time.Now().Add(holds-tokenMargin)
	return token, nil
}

// forget makes the next request ask for a token anew: the server has refused this one.
func (t *tokens) forget() {
	t.turn <- struct{}{}
	t.token = ""
	<-t.turn
}

func (t *tokens) where() string {
	u, _ := url.Parse(t.config.OAuth2TokenEndpoint) // it was checked
	return shown(u)
}

// ask asks for a token.
func (t *tokens) ask(ctx context.Context) (string, time.Duration, error) {
	c := &t.config
	form := url.Values{"grant_type": {"client_credentials"}}
	if c.OAuth2Scope != "" {
		form.Set("scope", c.OAuth2Scope)
	}
	r := t.client.R().SetDoNotParseResponse(true).SetHeader("Accept", "application/json").
		SetContext(context.WithValue(ctx, reformedKey{}, &reformed{}))
	if c.OAuth2BodyAuthentication {
		form.Set("client_id", c.OAuth2ClientID)
		form.Set("client_secret", c.OAuth2ClientSecret)
	} else {
		r.SetBasicAuth(url.QueryEscape(c.OAuth2ClientID), url.QueryEscape(c.OAuth2ClientSecret)) // RFC 6749, section 2.3.1
	}
	r.SetHeader("Content-Type", "application/x-www-form-urlencoded").SetBody(strings.NewReader(form.Encode()))
	res, err := r.Execute(http.MethodPost, c.OAuth2TokenEndpoint)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return "", 0, err
	}
	defer res.RawBody().Close()
	text, err := io.ReadAll(io.LimitReader(res.RawBody(), maxToken))
	if err != nil {
		return "", 0, err
	}
	var answer struct {
		Token  string      `json:"access_token"`
		Type   string      `json:"token_type"`
		Holds  json.Number `json:"expires_in"`
		Reason string      `json:"error"`
	}
	malformed := json.Unmarshal(text, &answer)
	switch {
	case res.StatusCode() != http.StatusOK && malformed == nil && answer.Reason != "":
		return "", 0, fmt.Errorf("status %d: %.100q", res.StatusCode(), answer.Reason)
	case res.StatusCode() != http.StatusOK:
		return "", 0, fmt.Errorf("status %d", res.StatusCode())
	case malformed != nil || answer.Token == "":
		return "", 0, errors.New("want JSON with an access_token")
	case answer.Type != "" && !strings.EqualFold(answer.Type, "bearer"):
		return "", 0, fmt.Errorf("want a token of type bearer, have %.100q", answer.Type)
	}
	holds := tokenDefault
	if seconds, err := answer.Holds.Int64(); err == nil && seconds > 0 {
		holds = time.Duration(min(seconds, int64(100*365*24*3600))) * time.Second
	}
	return answer.Token, holds, nil
}

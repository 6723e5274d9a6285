// Package amazon has what the components for services of Amazon share.
package amazon

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// A Service says how to reach one.
type Service struct {
	Config   aws.Config
	Endpoint string // "" means that of the region
}

// Check returns all that is wrong; of names the struct with the configuration.
func (s Service) Check(of string) error {
	var errs []error
	if s.Config.Region == "" {
		errs = append(errs, errors.New(of+".AWS: the region is missing"))
	}
	if s.Config.Credentials == nil {
		errs = append(errs, errors.New(of+".AWS: the credentials are missing; config.LoadDefaultConfig of the SDK finds them"))
	}
	if s.Endpoint != "" {
		u, err := url.Parse(s.Endpoint)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			errs = append(errs, errors.New(of+".Endpoint: want a URL like http://127.0.0.1:9324"))
		case u.User != nil:
			errs = append(errs, errors.New(of+".Endpoint: want no user and no password in it; credentials belong into AWS"))
		}
	}
	return errors.Join(errs...)
}

// Open returns the configuration of a client that has connections of its own, unless the
// user has chosen an HTTP client, and what closes those that are idle.
func (s Service) Open() (cfg aws.Config, closeIdle func()) {
	cfg = s.Config.Copy()
	if s.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(s.Endpoint)
	}
	if cfg.HTTPClient != nil {
		return cfg, func() {}
	}
	transport := awshttp.NewBuildableClient().GetTransport()
	transport.MaxIdleConnsPerHost = 100
	cfg.HTTPClient = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return cfg, transport.CloseIdleConnections
}

// MaxSize is how many bytes a message may have at most, with its attributes. See Amazon SQS
// Developer Guide, "Amazon SQS message quotas", and Amazon SNS API Reference, "Publish".
type MaxSize int

// Check refuses a message that is too large.
func (m MaxSize) Check(size int) error {
	if size <= int(m) {
		return nil
	}
	return fmt.Errorf("the message has %d bytes with its headers, want at most %d", size, int(m))
}

//go:build !linux

package acceptance

import "testing"

func TestAcceptance(t *testing.T) { t.Skip("the acceptance run needs Linux") }

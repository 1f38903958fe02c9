//go:build tools

// Package tools names what is built from here, so that go.sum covers it.
package tools

import (
	_ "github.com/terraform-providers/terraform-provider-local"
	_ "github.com/terraform-providers/terraform-provider-null"
)

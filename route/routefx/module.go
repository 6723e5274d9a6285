package routefx

import (
	"fmt"
	"log/slog"
	"sync"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/mehari-go/mehari/route"
)

// Module is an engine with what modules contribute: see the comment of the package.
var Module = engineModule("")

// Named is another engine, for an application that has several: a *[route.Engine] and a
// [route.Config] with that name in the container. The contributions are given to it, and so
// are those that other modules give by [For].
func Named(name string, contributions ...Contribution) fx.Option {
	if name == "" || name == All {
		return fx.Error(fmt.Errorf("routefx: %s: %q cannot name an engine", callerOf().place, name))
	}
	return fx.Options(engineModule(name), For(name, contributions...))
}

func engineModule(name string) fx.Option {
	module, named := "mehari", ""
	var use any = func(*route.Engine) {} // without it, nobody would have it made
	if name != "" {
		module, named = "mehari "+name, fmt.Sprintf("name:%q", name)
		use = fx.Annotate(use, fx.ParamTags(named))
	}
	return fx.Module(module,
		fx.Provide(
			fx.Annotated{Name: name, Target: func() route.Config { return route.Config{} }},
			fx.Annotate(func(c route.Config) engineConfig { return engineConfig{c, name, new(sync.Once)} }, fx.ParamTags(named), fx.ResultTags(`group:"mehari.engines"`)),
			fx.Annotated{Name: name, Target: func(in ingredients) (*route.Engine, error) { return newEngine(name, in) }},
		),
		fx.Invoke(use),
	)
}

// An engineConfig is the configuration of the engine with a name, "" for that of [Module].
// In a value group, because the names in a struct with fx.In are constants.
type engineConfig struct {
	route.Config
	name  string
	dying *sync.Once // that of the first engine is for all: an application dies once
}

// ingredients are what an engine is made of.
type ingredients struct {
	fx.In
	Configs    []engineConfig `group:"mehari.engines"`
	Parts      []part         `group:"mehari.parts"`
	Lifecycle  fx.Lifecycle
	Shutdowner fx.Shutdowner
	Logger     *slog.Logger   `optional:"true"`
	Events     fxevent.Logger `optional:"true"`
}

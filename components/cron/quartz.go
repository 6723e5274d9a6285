package cron

import "github.com/mehari-go/mehari/route"

// Quartz is a [Config] in the words of Camel's quartz component, for a component that is
// registered as "quartz": "quartz:reports/nightly?cron=0 30 2 * * ?".
type Quartz struct {
	// Name is that of the trigger, with its group and / before it if it has one.
	Name string `uri:".,required"`

	// Cron is the [Config.Schedule].
	Cron string `uri:"cron,required"`

	// TimeZone is the [Config.TimeZone].
	TimeZone string `uri:"trigger.timeZone"`

	// Misfire is the [Config.Misfire].
	Misfire string `uri:"misfire"`
}

// URI returns the address of the schedule that q describes.
func (q Quartz) URI() route.URI { return route.Encode(quartz, q) }

const quartz = "quartz"

// decode reads an address in the words that its scheme has.
func decode(a route.Address) (c Config, err error) {
	if a.Scheme != quartz {
		err = a.Decode(&c)
		return c, err
	}
	var q Quartz
	err = a.Decode(&q)
	return Config{Name: q.Name, Schedule: q.Cron, TimeZone: q.TimeZone, Misfire: q.Misfire}, err
}

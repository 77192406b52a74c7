package dynamo

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/persona"
)

// counted gives the shire's people this many sets of locations, a ward or two each,
// and so many of each set to each persona.
func (s *Store) counted(t testing.TB, sets, each int) {
	t.Helper()
	at := time.Now().Add(-time.Minute)
	s.fill(t, sets, func(n int) []attributes {
		set := []string{ward(n % 1000)}
		if n >= 1000 {
			set = append(set, ward((n+n/1000)%1000))
		}
		item := s.item(t, countKey("shire", set), countItem{Set: set}, at)
		for i, word := range []string{"frontline", "frontline", "frontline", "leader", "none"} {
			item[word] = numeral(each/5 + number(item[word]))
			item[fmt.Sprintf("seen_%d_%s", at.Unix()/86400-int64(i*7), word)] = numeral(each / 10)
		}
		return []attributes{item}
	})
}

// letters are those that would have been sent.
type letters struct{ n int }

func (l *letters) Send(context.Context, persona.Letter) error { l.n++; return nil }

// BenchmarkAudit is the scheduled audit of an organization of 100,000 people with a
// thousand locations, in time, requests and units: what it costs depends on the sets
// of locations, not on the people, whom only the news of a verdict looks for.
func BenchmarkAudit(b *testing.B) {
	s, _ := shire(b, 100_000)
	post := &letters{}
	auditor := persona.NewAuditor(s, s, post, time.Now)
	day := time.Now()
	audit := func(b *testing.B, again bool, before func()) {
		var requests, units float64
		for b.Loop() {
			before()
			if !again {
				day = day.AddDate(0, 0, 1)
			}
			ctx, spent := s.Meter(b.Context())
			_, err := auditor.Run(ctx, persona.Slot(day), []string{"shire"}, func(o persona.Outcome) {
				if o.Made == again || o.Audit.Report.Base == 0 {
					b.Errorf("made %v, %d people", o.Made, o.Audit.Report.Base)
				}
			})
			if err != nil {
				b.Fatal(err)
			}
			for _, a := range spent() {
				add(&requests, &units, a)
			}
		}
		b.ReportMetric(requests/float64(b.N), "requests/op")
		b.ReportMetric(units/float64(b.N), "units/op")
	}
	nothing := func() {}
	leaders := 0
	for _, sets := range []int{1000, 20_000} {
		s.counted(b, sets, 100_000/sets)
		b.Run(fmt.Sprintf("made/%dsets", sets), func(b *testing.B) { audit(b, false, nothing) })
		b.Run(fmt.Sprintf("repeated/%dsets", sets), func(b *testing.B) { audit(b, true, nothing) })
	}
	b.Run("news", func(b *testing.B) {
		audit(b, false, func() {
			leaders = 50_000 - leaders // so many more at the first ward, and back: too many leaders, and enough
			t := s.begin()
			t.update(countKey("shire", []string{ward(0)}), expression.Set(expression.Name("leader"), expression.Value(leaders)), present, raced())
			if err := t.commit(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func add(requests, units *float64, a slog.Attr) {
	switch a.Key {
	case "dynamodbRequests":
		*requests += float64(a.Value.Int64())
	case "dynamodbUnits":
		*units += a.Value.Float64()
	}
}

// An audit reads no user: what it costs is told by the sets of locations alone (P8).
func TestP8AnAuditsCostIsItsSetsOfLocations(t *testing.T) {
	const sets = 2000
	s, _ := shire(t, 10)
	s.counted(t, sets, 10)
	auditor := persona.NewAuditor(s, s, &letters{}, time.Now)
	ctx, spent := s.Meter(t.Context())
	_, err := auditor.Run(ctx, "2026-03-02", []string{"shire"}, func(o persona.Outcome) {
		if !o.Made || o.Audit.Report.Base != 10*sets || o.Audit.Report.Personas[1].Count != 6*sets {
			t.Errorf("P8 made %v, %+v", o.Made, o.Audit.Report)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var requests, units float64
	for _, a := range spent() {
		add(&requests, &units, a)
	}
	// A counter is about 300 bytes, and 4 KB are a unit; the rest is the policy's
	// version and moves before and after, and what is written.
	if requests > 10 || units > sets*0.12+120 {
		t.Errorf("P8 %d sets cost %v requests and %v units", sets, requests, units)
	}
	t.Logf("%d sets: %v requests, %v units", sets, requests, units)
}

func numeral(n int) types.AttributeValue { return &types.AttributeValueMemberN{Value: strconv.Itoa(n)} }

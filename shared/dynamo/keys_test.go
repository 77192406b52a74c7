package dynamo

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// parts are what keys are made of.
type parts struct {
	a, b, c string
	n       uint64
	at      time.Time
}

// sayings are the key functions; says is what of the parts the key stands for.
var sayings = map[string]struct {
	key  func(p parts) key
	says func(p parts) []any
}{
	"orgKey":           {func(p parts) key { return orgKey(p.a) }, one},
	"versionKey":       {func(p parts) key { return versionKey(p.a, int(p.n%versionCopies)) }, func(p parts) []any { return []any{p.a, p.n % versionCopies} }},
	"policyPK":         {func(p parts) key { return partition(policyPK(p.a)) }, one},
	"roleKey":          {func(p parts) key { return roleKey(p.a, p.b) }, two},
	"locationKey":      {func(p parts) key { return locationKey(p.a, p.b) }, two},
	"workflowKey":      {func(p parts) key { return workflowKey(p.a, p.b) }, two},
	"templateKey":      {func(p parts) key { return templateKey(p.a, p.b) }, two},
	"changeKey":        {func(p parts) key { return changeKey(p.a, p.n) }, func(p parts) []any { return []any{p.a, p.n} }},
	"snapshotPK":       {func(p parts) key { return partition(snapshotPK(p.a)) }, one},
	"headKey":          {func(p parts) key { return headKey(p.a) }, one},
	"chunkKey":         {func(p parts) key { return chunkKey(p.a, p.n, p.b, 7) }, func(p parts) []any { return []any{p.a, p.n, p.b} }},
	"guardKey":         {func(p parts) key { return guardKey(p.a) }, one},
	"userPK":           {func(p parts) key { return partition(userPK(p.a, p.b)) }, two},
	"userKey":          {func(p parts) key { return userKey(p.a, p.b) }, two},
	"userItemKey":      {func(p parts) key { return userItemKey(p.a, p.b, p.c) }, three},
	"actedKey":         {func(p parts) key { return actedKey(p.a, p.b, p.c) }, three},
	"actedOnKey":       {func(p parts) key { return actedOnKey(p.a, p.b, p.c) }, three},
	"directoryPK":      {func(p parts) key { return partition(directoryPK(p.a)) }, one},
	"directoryKey":     {func(p parts) key { return directoryKey(p.a, p.b) }, two},
	"memberPK":         {func(p parts) key { return partition(memberPK(p.a, authz.RoleRef{ID: p.b, Birth: p.n})) }, func(p parts) []any { return []any{p.a, p.b, p.n} }},
	"memberKey":        {func(p parts) key { return memberKey(p.a, authz.RoleRef{ID: p.b, Birth: p.n}, p.c) }, func(p parts) []any { return []any{p.a, p.b, p.n, p.c} }},
	"gonePK":           {func(p parts) key { return partition(gonePK(p.a)) }, one},
	"goneKey":          {func(p parts) key { return goneKey(p.a, authz.RoleRef{ID: p.b, Birth: p.n}) }, func(p parts) []any { return []any{p.a, p.b, p.n} }},
	"locationPK":       {func(p parts) key { return partition(locationPK(p.a, p.b)) }, two},
	"locationUserKey":  {func(p parts) key { return locationUserKey(p.a, p.b, p.c) }, three},
	"locationItemKey":  {func(p parts) key { return locationItemKey(p.a, p.b, p.c) }, three},
	"templateItemKey":  {func(p parts) key { return templateItemKey(p.a, p.b, p.c) }, three},
	"templateItemsPK":  {func(p parts) key { return partition(templateItemsPK(p.a, p.b)) }, two},
	"itemKey":          {func(p parts) key { return itemKey(p.a, p.b) }, two},
	"claimKey":         {func(p parts) key { return claimKey(p.a, p.b) }, two},
	"signInKey":        {func(p parts) key { return signInKey(p.a) }, one},
	"sessionKey":       {func(p parts) key { return sessionKey(p.a, p.b) }, two},
	"noticeKey":        {func(p parts) key { return noticeKey(p.a, p.b) }, two},
	"receiptKey":       {func(p parts) key { return receiptKey(p.a, p.b) }, two},
	"alertKey":         {func(p parts) key { return alertKey(p.a, p.b, p.c) }, func(p parts) []any { return []any{p.a, p.b, strings.ToLower(p.c)} }},
	"actingKey":        {func(p parts) key { return actingKey(p.a, p.b) }, two},
	"proofPK":          {func(p parts) key { return partition(proofPK(p.a, p.b)) }, two},
	"attemptsKey":      {func(p parts) key { return attemptsKey(p.a, p.b) }, two},
	"usedProofKey":     {func(p parts) key { return usedProofKey(p.a, p.b, p.c) }, three},
	"auditPK":          {func(p parts) key { return partition(auditPK(p.a)) }, one},
	"slotKey":          {func(p parts) key { return slotKey(p.a, p.b) }, two},
	"auditKey":         {func(p parts) key { return auditKey(p.a, p.b) }, two},
	"lastSlotKey":      {func(p parts) key { return lastSlotKey(p.a) }, one},
	"tallyKey":         {func(p parts) key { return tallyKey(p.a, p.b, int(p.n)) }, func(p parts) []any { return []any{p.a, p.b, int(p.n)} }},
	"newsKey":          {func(p parts) key { return newsKey(p.a, p.b, p.c) }, func(p parts) []any { return []any{p.a, p.b, strings.ToLower(p.c)} }},
	"countsPK":         {func(p parts) key { return partition(countsPK(p.a)) }, one},
	"countKey":         {func(p parts) key { return countKey(p.a, []string{p.b, p.c}) }, func(p parts) []any { return []any{p.a, min(p.b, p.c), max(p.b, p.c)} }},
	"movesKey":         {func(p parts) key { return movesKey(p.a) }, one},
	"engagedPK":        {func(p parts) key { return partition(engagedPK(p.a, p.b)) }, two},
	"engagedKey":       {func(p parts) key { return engagedKey(p.a, p.b, p.c) }, three},
	"engagementsKey":   {func(p parts) key { return engagementsKey(p.a, p.b) }, two},
	"seenKey":          {func(p parts) key { return seenKey(p.a, p.b, directory.Day(p.n)) }, func(p parts) []any { return []any{p.a, p.b, p.n} }},
	"moveKey":          {func(p parts) key { return moveKey(p.a, p.b) }, two},
	"usernameKey":      {func(p parts) key { return usernameKey(p.a) }, func(p parts) []any { return []any{directory.Folded(p.a)} }},
	"roleNameKey":      {func(p parts) key { return roleNameKey(p.a, p.b) }, func(p parts) []any { return []any{p.a, directory.Folded(p.b)} }},
	"timelinePK":       {func(p parts) key { return partition(timelinePK(p.a, p.at)) }, func(p parts) []any { return []any{p.a, p.at.UTC().Format("2006-01")} }},
	"timelineTypePK":   {func(p parts) key { return partition(timelineTypePK(p.a, p.kind(), p.at)) }, func(p parts) []any { return []any{p.a, p.kind(), p.at.UTC().Format("2006-01")} }},
	"entryKey":         {func(p parts) key { return entryKey(p.a, p.at, p.b) }, func(p parts) []any { return []any{p.a, p.at.UTC().Format("2006-01"), p.b} }},
	"personPK":         {func(p parts) key { return partition(personPK(p.a, p.b)) }, two},
	"personEntryKey":   {func(p parts) key { return personEntryKey(p.a, p.b, p.c) }, three},
	"sealPK":           {func(p parts) key { return partition(sealPK(p.a)) }, one},
	"sealHeadKey":      {func(p parts) key { return sealHeadKey(p.a) }, one},
	"blockKey":         {func(p parts) key { return blockKey(p.a, p.n) }, func(p parts) []any { return []any{p.a, p.n} }},
	"sealedPK":         {func(p parts) key { return partition(sealedPK(p.a, p.at)) }, func(p parts) []any { return []any{p.a, p.at.UTC().Format("2006-01")} }},
	"sealedKey":        {func(p parts) key { return sealedKey(p.a, p.at, p.b) }, func(p parts) []any { return []any{p.a, p.at.UTC().Format("2006-01"), p.b} }},
	"onceKey":          {func(p parts) key { return onceKey(p.a, p.b, p.c) }, three},
	"sessionsGSI":      {func(p parts) key { return key{"gsi1", sessionsGSI(p.a)} }, one},
	"anyVersionKey":    {func(p parts) key { k := anyVersionKey(p.a); return key{k.pk[:len(k.pk)-1], "any"} }, one},
	"organizationsGSI": {func(parts) key { return key{"gsi1", organizationsGSI} }, func(parts) []any { return nil }},
}

// partition is a partition key as a key that nothing has.
func partition(pk string) key { return key{pk, ""} }

func one(p parts) []any   { return []any{p.a} }
func two(p parts) []any   { return []any{p.a, p.b} }
func three(p parts) []any { return []any{p.a, p.b, p.c} }

func (p parts) kind() timeline.Type {
	return timeline.NoType + 1 + timeline.Type(p.n%uint64(timeline.TypeCount-1))
}

// holdKeysApart fails when two things have one key.
func holdKeysApart(t *testing.T, all ...parts) {
	t.Helper()
	whose := map[key]string{}
	for _, p := range all {
		for name, s := range sayings {
			k, thing := s.key(p), fmt.Sprintf("%s%q", name, s.says(p))
			if other, taken := whose[k]; taken && other != thing {
				t.Errorf("T4 %s and %s have one key %q", other, thing, k)
			}
			whose[k] = thing
			if len(k.pk) > 1024 || len(k.sk) > 512 {
				t.Errorf("%s is a key of %d and %d bytes", thing, len(k.pk), len(k.sk))
			}
			if !printable.MatchString(k.pk + k.sk) {
				t.Errorf("T5 %s is a key with text from outside in it: %q", thing, k)
			}
		}
	}
}

var printable = regexp.MustCompile(`^[A-Za-z0-9_.~#-]*$`)

func FuzzNoTwoThingsHaveOneKey(f *testing.F) {
	f.Add("riverside", "a", "b", "riverside#a", "b", "", uint64(1), uint64(11))
	f.Add("o", "1", "2", "o", "12", "", uint64(0), uint64(1))
	f.Add("~", "", "#", "#", "~", "", uint64(7), uint64(8))
	f.Add("o", "Straße", "x", "o", "STRASSE", "x", uint64(0), uint64(0))
	f.Add("2026-03", "role", "x", "role", "2026-03", "x", uint64(2), uint64(3))
	f.Add("o", "x", "y", "o", "y", "x", uint64(2), uint64(2))
	f.Fuzz(func(t *testing.T, a, b, c, d, e, f string, m, n uint64) {
		at := func(n uint64) time.Time { return time.Unix(int64(n%(200*365*24*3600)), 0) }
		hashed := component(b)
		holdKeysApart(t,
			parts{a, b, c, m, at(m)}, parts{d, e, f, n, at(n)}, parts{b, a, c, n, at(m)}, parts{a, b + "#" + c, f, m, at(n)},
			parts{a + "#" + b, c, d, m, at(m)}, parts{a, hashed, c, m, at(m)}, parts{a, b, b, n, at(n)},
		)
	})
}

func TestEveryKeyIsHeldApart(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`(Key|PK|GSI)$`)
	for _, declaration := range file.Decls {
		if f, ok := declaration.(*ast.FuncDecl); ok && name.MatchString(f.Name.Name) {
			if _, held := sayings[f.Name.Name]; !held {
				t.Errorf("nothing holds %s apart from the others", f.Name.Name)
			}
		}
	}
}

func TestKindsAreApart(t *testing.T) {
	p := parts{a: "o", b: "x", c: "y", n: 3, at: time.Unix(0, 0)}
	for name, s := range sayings {
		k := s.key(p)
		for other, s := range sayings {
			if name != other && s.key(p) == k {
				t.Errorf("%s and %s are one key", name, other)
			}
		}
	}
}

func TestU1R1NamesAreOneWhateverTheirCase(t *testing.T) {
	if usernameKey("Nina.Nurse@x") != usernameKey("nina.nurse@X") {
		t.Error("U1 usernames differ by case")
	}
	if roleNameKey("o", "Unit Lead") != roleNameKey("o", "UNIT lead") {
		t.Error("R1 role names differ by case")
	}
	if roleNameKey("o", "ΟΔΌΣ") != roleNameKey("o", "οδός") {
		t.Error("R1 role names differ by the case of a letter that has three forms")
	}
	if roleNameKey("o", "Staff") == roleNameKey("p", "Staff") {
		t.Error("R1 role names of two organizations are one")
	}
}

func TestVersionsSortAsText(t *testing.T) {
	versions := []uint64{0, 1, 9, 10, 99, 1 << 32, 1<<64 - 1}
	var text []string
	for _, v := range versions {
		text = append(text, padded(v))
	}
	if !slices.IsSorted(text) {
		t.Errorf("%q", text)
	}
}

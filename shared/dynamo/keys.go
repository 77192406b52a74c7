package dynamo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// The one home of keys. A key starts with its kind, so that a policy can name
// it, and then the organization o, so that no key of one tenant can be
// another's.
//
//	what                               pk                  sk
//	organization and settings          ORG#o               ORG              gsi1: ORG#, o
//	policy version, eight copies       V#o#k               V
//	policy entity                      P#o                 ROLE#id LOC#id WF#id TPL#id
//	policy change                      C#o                 version, zero-padded
//	policy snapshot                    S#o                 HEAD version#nonce#n
//	guard of full administrators       G#o                 ADMINS
//	user, with assignments             U#o#u               USER
//	user's items, sessions             U#o#u               ITEM#i ACTED#x ACTEDON#x
//	directory copy of the user         D#o                 USER#u
//	role's members                     R#o#role#birth      USER#u
//	deleted role, until it is swept    GB#o                ROLE#id#birth
//	location's users and items         L#o#l               USER#u ITEM#i
//	template's items                   TI#o#t              ITEM#i
//	item's facts; who moves its places I#o#i               ITEM CLAIM
//	uniqueness: username; role name    N#hash; NR#o#hash   N
//	sign-in                            SUB#sub             SUB
//	impersonation and its mail         X#o#id              SESSION NOTICE RECEIPT ALERT#hash   gsi1: X#o, start
//	acting mark                        A#o#actor           ACTING
//	proofs                             PR#o#actor          ATTEMPTS USED#hash
//	timeline                           T#o#yyyy-mm         id               gsi1: T#o#type#yyyy-mm, id
//	timeline of a person               TP#o#person         id
//	seal of the timeline               SEAL#o              HEAD BLOCK#n
//	which block sealed an entry        SEALED#o#yyyy-mm    id
//	audits, latest last; their counts  AUD#o               AT#order COUNTS#order#n
//	slot's audit; last scheduled; mail AUD#o               SLOT#slot LAST MAIL#slot#hash
//	persona counts, and what moves     CNT#o               SET#hash MOVES MOVE#name
//	mark: a request of a day           SEEN#o#u            day
//	whom an item counts for            EI#o#i              USER#u
//	how many items count for a user    EU#o#u              N
//	idempotency                        K#o#user#hash       K

// key is a primary key.
type key struct{ pk, sk string }

// The sort keys, and kinds of sort keys, that tell items of one partition or
// one reading apart.
const (
	userSK       = "USER"
	itemSK       = "ITEM"
	noticeSK     = "NOTICE"
	receiptSK    = "RECEIPT"
	actingSK     = "ACTING"
	roleKind     = "ROLE"
	locationKind = "LOC"
	workflowKind = "WF"
	templateKind = "TPL"
	memberKind   = "USER"
	placedKind   = "ITEM"
	setKind      = "SET"
	moveKind     = "MOVE"
	slotKind     = "SLOT"
	auditKind    = "AT"
	tallyKind    = "COUNTS"
	actedKind    = "ACTED"
	actedOnKind  = "ACTEDON"
	blockKind    = "BLOCK"
)

// kind is what begins a sort key that names something.
func (k key) kind() string { kind, _, _ := strings.Cut(k.sk, "#"); return kind }

// named is the id that a sort key names.
func (k key) named() string { _, id, _ := strings.Cut(k.sk, "#"); return id }

// number is what a sort key names, 0 when it is no number.
func (k key) number() uint64 { n, _ := strconv.ParseUint(k.named(), 10, 64); return n }

// compare orders keys.
func (k key) compare(other key) int {
	return cmp.Or(strings.Compare(k.pk, other.pk), strings.Compare(k.sk, other.sk))
}

// isNotice tells that the key is an impersonation's notice's, isActing that it is
// an acting mark's.
func (k key) isNotice() bool { return strings.HasPrefix(k.pk, "X#") && k.sk == noticeSK }
func (k key) isActing() bool { return strings.HasPrefix(k.pk, "A#") && k.sk == actingSK }

// isItem tells that the key is that of an item's facts, isSeen that it is a mark
// of somebody's day.
func (k key) isItem() bool { return strings.HasPrefix(k.pk, "I#") && k.sk == itemSK }
func (k key) isSeen() bool { return strings.HasPrefix(k.pk, "SEEN#") }

// kept tells that the key is of what nothing ever changes or removes: an entry or
// a person's copy of one (T2), a block of the seal or a mark; and whose.
func (k key) kept() (organization string, ok bool) {
	kind, _, _ := strings.Cut(k.pk, "#")
	switch kind {
	case "T", "TP", "SEALED":
		organization, _, ok = k.two()
		return organization, ok
	case "SEAL":
		_, organization, _ = strings.Cut(k.pk, "#")
		return organization, k.kind() == blockKind && directory.IsID(organization)
	}
	return "", false
}

// person is whose copy of an entry has this key.
func (k key) person() string { _, id, _ := k.two(); return id }

// entered is the organization whose timeline has an entry of this key; false for
// any other, that of a person's copy included.
func (k key) entered() (organization string, ok bool) {
	if !strings.HasPrefix(k.pk, "T#") {
		return "", false
	}
	organization, _, ok = key{pk: k.pk}.two()
	return organization, ok
}

// day is the day that a mark's sort key names.
func (k key) day() (directory.Day, error) {
	n, err := strconv.Atoi(k.sk)
	return directory.Day(n), err
}

// two are the organization and the id that the partition of such a key names;
// false when it names them by their hashes, which nothing of the contract has.
func (k key) two() (organization, id string, ok bool) {
	_, ids, _ := strings.Cut(k.pk, "#")
	organization, id, _ = strings.Cut(ids, "#")
	return organization, id, directory.IsID(organization) && directory.IsID(id)
}

// versionCopies is how many copies of the policy version there are, so that
// reading it heats no single partition.
const versionCopies = 8

// component is s as a part of a key: itself if it is an id of the contract,
// else its hash under a mark that no id can carry. So two different inputs
// never make one key, and text from outside never sits in one (T5).
func component(s string) string {
	if directory.IsID(s) {
		return s
	}
	return "~" + digest(s)
}

// digest is the hash of parts, told apart by their lengths.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func join(kind string, parts ...string) string {
	for _, p := range parts {
		kind += "#" + component(p)
	}
	return kind
}

// organizationsGSI lists the organizations; no organization has this key, as a
// component is never empty.
const organizationsGSI = "ORG#"

func orgKey(o string) key              { return key{join("ORG", o), "ORG"} }
func versionKey(o string, k int) key   { return key{join("V", o, strconv.Itoa(k)), "V"} }
func anyVersionKey(o string) key       { return versionKey(o, rand.IntN(versionCopies)) }
func policyPK(o string) string         { return join("P", o) }
func roleKey(o, id string) key         { return key{policyPK(o), join(roleKind, id)} }
func locationKey(o, id string) key     { return key{policyPK(o), join(locationKind, id)} }
func workflowKey(o, id string) key     { return key{policyPK(o), join(workflowKind, id)} }
func templateKey(o, id string) key     { return key{policyPK(o), join(templateKind, id)} }
func changeKey(o string, v uint64) key { return key{join("C", o), padded(v)} }
func snapshotPK(o string) string       { return join("S", o) }
func headKey(o string) key             { return key{snapshotPK(o), "HEAD"} }
func guardKey(o string) key            { return key{join("G", o), "ADMINS"} }
func userPK(o, u string) string        { return join("U", o, u) }
func userKey(o, u string) key          { return key{userPK(o, u), userSK} }
func userItemKey(o, u, i string) key   { return key{userPK(o, u), join(placedKind, i)} }
func actedKey(o, u, x string) key      { return key{userPK(o, u), join(actedKind, x)} }
func actedOnKey(o, u, x string) key    { return key{userPK(o, u), join(actedOnKind, x)} }
func directoryPK(o string) string      { return join("D", o) }
func directoryKey(o, u string) key     { return key{directoryPK(o), join(memberKind, u)} }
func locationPK(o, l string) string    { return join("L", o, l) }
func itemKey(o, i string) key          { return key{join("I", o, i), itemSK} }
func claimKey(o, i string) key         { return key{join("I", o, i), "CLAIM"} }
func signInKey(sub string) key         { return key{join("SUB", sub), "SUB"} }
func sessionKey(o, x string) key       { return key{join("X", o, x), "SESSION"} }
func noticeKey(o, x string) key        { return key{join("X", o, x), noticeSK} }
func receiptKey(o, x string) key       { return key{join("X", o, x), receiptSK} }
func sessionsGSI(o string) string      { return join("X", o) }
func actingKey(o, actor string) key    { return key{join("A", o, actor), actingSK} }
func proofPK(o, actor string) string   { return join("PR", o, actor) }
func attemptsKey(o, actor string) key  { return key{proofPK(o, actor), "ATTEMPTS"} }
func auditPK(o string) string          { return join("AUD", o) }
func countsPK(o string) string         { return join("CNT", o) }
func movesKey(o string) key            { return key{countsPK(o), "MOVES"} }
func moveKey(o, name string) key       { return key{countsPK(o), join(moveKind, name)} }
func slotKey(o, slot string) key       { return key{auditPK(o), join(slotKind, slot)} }
func lastSlotKey(o string) key         { return key{auditPK(o), "LAST"} }
func auditKey(o, order string) key     { return key{auditPK(o), join(auditKind, order)} }
func engagedPK(o, i string) string     { return join("EI", o, i) }
func engagedKey(o, i, u string) key    { return key{engagedPK(o, i), join(memberKind, u)} }
func engagementsKey(o, u string) key   { return key{join("EU", o, u), "N"} }

func seenKey(o, u string, d directory.Day) key {
	return key{join("SEEN", o, u), strconv.Itoa(int(d))}
}

// padded is a version that sorts as text.
func padded(v uint64) string { return fmt.Sprintf("%020d", v) }

// chunkPrefix is that of a snapshot's chunks; the head sorts after all of them.
func chunkPrefix(version uint64, nonce string) string {
	return padded(version) + "#" + component(nonce) + "#"
}

func chunkKey(o string, version uint64, nonce string, n int) key {
	return key{snapshotPK(o), chunkPrefix(version, nonce) + padded(uint64(n))}
}

func memberPK(o string, r authz.RoleRef) string {
	return join("R", o, r.ID, strconv.FormatUint(r.Birth, 10))
}

func memberKey(o string, r authz.RoleRef, u string) key {
	return key{memberPK(o, r), join(memberKind, u)}
}

func locationUserKey(o, l, u string) key { return key{locationPK(o, l), join(memberKind, u)} }
func locationItemKey(o, l, i string) key { return key{locationPK(o, l), join(placedKind, i)} }
func templateItemsPK(o, t string) string { return join("TI", o, t) }
func templateItemKey(o, t, i string) key { return key{templateItemsPK(o, t), join(placedKind, i)} }

// Names are unique whatever their case (R1, U1): hashed folded.
func usernameKey(username string) key {
	return key{"N#" + digest("username", directory.Folded(username)), "N"}
}

func roleNameKey(o, name string) key {
	return key{join("NR", o) + "#" + digest("role", directory.Folded(name)), "N"}
}

func usedProofKey(o, actor, proof string) key {
	return key{proofPK(o, actor), "USED#" + digest(proof)}
}

func month(at time.Time) string { return at.UTC().Format("2006-01") }

// An entry stands under its id in the month's partition and in each person's.
func entryKey(o string, at time.Time, id string) key { return key{timelinePK(o, at), component(id)} }
func personEntryKey(o, person, id string) key        { return key{personPK(o, person), component(id)} }

func timelinePK(o string, at time.Time) string { return join("T", o) + "#" + month(at) }

func timelineTypePK(o string, t timeline.Type, at time.Time) string {
	return join("T", o, t.String()) + "#" + month(at)
}

func personPK(o, person string) string { return join("TP", o, person) }

func sealPK(o string) string                 { return join("SEAL", o) }
func sealHeadKey(o string) key               { return key{sealPK(o), "HEAD"} }
func blockKey(o string, n uint64) key        { return key{sealPK(o), join(blockKind, padded(n))} }
func sealedPK(o string, at time.Time) string { return join("SEALED", o) + "#" + month(at) }

// sealedKey is that of an entry's mark, which stands as the entry does.
func sealedKey(o string, at time.Time, id string) key { return key{sealedPK(o, at), component(id)} }

func onceKey(o, user, hash string) key { return key{join("K", o, user, hash), "K"} }

// newsKey is that of a slot's mail to an address, in whatever case.
func newsKey(o, slot, address string) key {
	return key{auditPK(o), join("MAIL", slot) + "#" + digest(strings.ToLower(address))}
}

// countKey is that of a set of locations, whatever their order.
func countKey(o string, locations []string) key {
	set := slices.Clone(locations)
	slices.Sort(set)
	return key{countsPK(o), setKind + "#" + digest(set...)}
}

// alertKey is that of an alert to an address, in whatever case.
func alertKey(o, about, address string) key {
	return key{join("X", o, about), "ALERT#" + digest(strings.ToLower(address))}
}

func gonePK(o string) string { return join("GB", o) }

// goneKey is that of a deleted role whose members are yet to be swept.
func goneKey(o string, r authz.RoleRef) key {
	return key{gonePK(o), join(roleKind, r.ID, strconv.FormatUint(r.Birth, 10))}
}

// The stretches that are read as lists.

func entitySpan(o string) span                  { return span{pk: policyPK(o)} }
func roleSpan(o string) span                    { return ofKind(policyPK(o), roleKind) }
func changeSpan(o string) span                  { return span{pk: changeKey(o, 0).pk} }
func memberSpan(o string, r authz.RoleRef) span { return ofKind(memberPK(o, r), memberKind) }
func goneSpan(o string) span                    { return ofKind(gonePK(o), roleKind) }
func directorySpan(o string) span               { return ofKind(directoryPK(o), memberKind) }
func setSpan(o string) span                     { return ofKind(countsPK(o), setKind) }
func engagedSpan(o, i string) span              { return ofKind(engagedPK(o, i), memberKind) }
func actedSpan(o, actor string) span            { return ofKind(userPK(o, actor), actedKind) }
func actedOnSpan(o, subject string) span        { return ofKind(userPK(o, subject), actedOnKind) }
func auditSpan(o string) span                   { return ofKind(auditPK(o), auditKind) }
func organizationSpan() span                    { return span{pk: organizationsGSI, indexed: true} }
func sessionSpan(o string) span                 { return span{pk: sessionsGSI(o), indexed: true} }

// changeSpanBetween is the changes from one version to another, both included.
func changeSpanBetween(o string, from, to uint64) span {
	return span{pk: changeKey(o, 0).pk, from: padded(from), to: padded(to)}
}

// blockSpan is the blocks from one number to another, both included.
func blockSpan(o string, from, to uint64) span {
	return span{pk: sealPK(o), from: blockKey(o, from).sk, to: blockKey(o, to).sk}
}

func chunkSpan(o string, version uint64, nonce string) span {
	return below(snapshotPK(o), chunkPrefix(version, nonce))
}

// olderChunkSpan is the chunks of all versions before this one.
func olderChunkSpan(o string, version uint64) span {
	return span{pk: snapshotPK(o), from: padded(0), to: padded(version)}
}

// tallyPrefix is that of the counts kept beside an audit.
func tallyPrefix(order string) string { return join(tallyKind, order) + "#" }

func tallyKey(o, order string, n int) key {
	return key{auditPK(o), tallyPrefix(order) + padded(uint64(n))}
}

func tallySpan(o, order string) span { return below(auditPK(o), tallyPrefix(order)) }

// setSpansAfter are the sets after one, in at most so many stretches that hold
// about as many.
func setSpansAfter(o, sk string, n int) []span {
	all := setSpan(o)
	begin, _ := strconv.ParseUint(strings.TrimPrefix(sk, setKind+"#")[:2], 16, 8)
	spans := []span{{pk: all.pk, from: all.from, after: sk}}
	for i := 1; i < n; i++ {
		from := all.from + fmt.Sprintf("%02x", begin+(256-begin)*uint64(i)/uint64(n))
		if last := &spans[len(spans)-1]; from > last.from && from > sk {
			last.to = from // no set has so short a name
			spans = append(spans, span{pk: all.pk, from: from})
		}
	}
	spans[len(spans)-1].to = all.to
	return spans
}

// ofKind is everything of one kind in a partition.
func ofKind(pk, kind string) span { return below(pk, kind+"#") }

// past is the stretch after the thing with this id; all of it without one.
func (q span) past(id string) span {
	if id != "" && !q.indexed {
		id = q.from + component(id)
	}
	q.after = id
	return q
}

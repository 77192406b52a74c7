// Package bench puts two engines that people would pick instead beside ours, on
// the same generated worlds (infra/worlds) and the same questions about items.
// A test first proves that all three give the same answers. It is a module of
// its own, so that the peers are no part of the product.
//
// Each peer has the form that suits it best as far as we know, and the rules
// stay in the peer wherever it can say them:
//
//   - cedar (cedar-go): nine policies, one an action, in cedar.tmpl; everything
//     else is data. Locations are an entity hierarchy whose members items are, so
//     that "in" is "and below". A template names, for each permission and scope,
//     the roles that give it there: R3 and R7 are worked out when a policy is
//     loaded, as ours are. Cedar has no loop, so a person's assignments stand in
//     numbered slots, one for each different set of places that they are measured
//     from (R5). A policy a grant, which is the other way to write it, would be
//     4,000 policies in the large world; cedar-go evaluates every policy for
//     every question.
//   - casbin: one policy section for each permission, so that a question looks
//     only at rows that could matter, chosen by EnforceContext; a row is what a
//     role gives on a workflow or template. Who has which role is g, the location
//     forest g2 with casbin's role manager, and two functions say where a scope
//     is met and who is on a team. Rows that R7 implies are added when a policy is
//     loaded. A matcher sees one row at a time, so what needs several permissions
//     together (C4) and U2 are put together around it, in up to five calls.
//
// What is prepared before the clock starts: for ours, compiled policy, subject
// and item; for cedar, parsed policies, the entities of the organization, of
// the user and of the item; for casbin, rows and links of all users asked
// about, and the assignments that count of each. "from facts" begins with the
// user's and the item's facts instead, as a service does that has just read
// them, and makes subject, entities and assignments of those, too.
//
// How to read the output of make bench: a line is
// BenchmarkDecide/ENGINE/WORLD, then ns, bytes and allocations for one
// question of the world's stream, an average over its first 2,000, yes and no
// as they come; each answer is held to ours. cpu-ns/op is the processor time
// without what other processes took, so it is the one to compare on a busy
// machine. BenchmarkFromFacts is the same from facts, BenchmarkLoad the time
// from an organization's policy to an engine that can answer, where kept-MB is
// the heap that it holds from then on. BenchmarkLinkEverybody is what comes on
// top where casbin knows all 100,000 users beforehand.
package bench

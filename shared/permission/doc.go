// Package permission is questions and their answers: may a subject do an
// action on a resource, why not, and who may, or on what?
//
// It decides who may ask about whom, what a question needs to be read, what an
// asker is told of things that they may not know (contract "Permission
// checks", T4, C12), where a list of questions stops, and how a search goes
// through what is stored. It refuses to know HTTP, the words of AuthZEN's
// documents and how storage keeps its lists; the decision itself, its reasoning
// and where to look for what it allows are package authz's.
//
// Where the rules are silent:
//
//   - Somebody is known to oneself, to who holds access_reader, and to their
//     user administrators. Who is not known to the asker is unknown as the
//     subject of a question and also as the user that it is about.
//   - In a session, one of these rights must be held by both sides (I6): one
//     side's access_reader does not go with the other's user administration.
//   - A draft or private item that the asker may not see answers every no
//     like an item that does not exist (T4), whatever was asked about it; of
//     items that are neither, the reason is told. A yes, which without seeing
//     is to participate alone (C5), stays one. Who may ask about anybody else
//     is told, and so is who brings the facts along.
//   - Who may not read the roles is answered about one that does not exist as
//     about one that may not be granted (T4).
//   - The organization of a question is the asker's own, or unknown.
//   - A hypothetical subject is one of the question alone: who asks, and what
//     they may know, stays as it is. A role that the asker may not know of gives
//     nothing, as one that does not exist: known are all roles to who reads admin
//     data, and to everybody those that the subject holds. Whoever may not ask
//     about others gets no hypothetical answer about a stored item that they do
//     not really see: it would tell its facts, guess by guess.
//   - An answer that hides something (T4) explains nothing; nor does one about a
//     role to be given or taken, to who may not read the roles, nor a yes about a
//     hidden item that is not seen. Suggested is only what the asker may do, both
//     sides of a session (I6), and nothing in a read_only one or about a
//     hypothetical subject. Adding to an item's team is for who may write items.
//     Sentences name locations to who reads admin data, and to everybody the
//     subject's own; others go by their ids.
//
// # Searches
//
// A search asks a question with one part left open: who may, on what, or what.
// What is found is what Ask would say yes to, for the same caller, of each
// candidate, no more and no less.
//
// Candidates come from lists that storage keeps in the order of ids, those
// that package authz says where to look for (its search.go), and are gone
// through in the one order of ids, all lists side by side. So somebody in
// several lists comes once, a page's place is the id where it stopped, nothing
// is kept between pages, and what changes from page to page, the policy
// included, neither hides nor repeats anything: who was allowed throughout is
// in one of the lists at whatever time the search comes by their id. (What
// moves from one list to another in the very moment between the readings of
// the two can be missed, as AuthZEN allows.)
//
// Candidates are read together with the caller, the policy and the rest of the
// question at one moment (C11), and decided by that. When policy or question
// turn out to have changed since the lists were chosen, they are chosen anew.
//
// The cost of a search in requests to DynamoDB, beside the warm read of caller and
// question that every check has: one Query for each hundred ids of each list,
// at least one a list, and one BatchGetItem for each 95 candidates. A search of
//
//   - an item's subjects has a list for each role that gives the action
//     everywhere, or at specific locations that the item is at; and one for
//     each location of the item and, where a role reaches below, above it. The
//     team needs none. Beside the locations stand the roles that count at
//     them, and of the two the list that has fewer ids ahead is gone through.
//   - a subject's items has one for the items that the subject is on the team
//     of, one for each template that a role gives the action on everywhere, and
//     one for each location in reach, with the templates beside them as above.
//   - the subjects of anything else has a list for each role that gives the
//     right, with locations as for an item; a subject's users, a list for each
//     location in reach.
//
// More than mostLists lists are too many to read side by side: more locations
// are left to the roles or templates that count at them, more roles, or
// locations of users, to the one list of everybody. Of templates there is no
// such list: who sees the items of very many of them everywhere costs one Query
// for each, on every page. Who may not ask about
// others finds oneself alone and reads no list; who may ask about those in
// reach has the lists of the locations in reach beside the others, as above.
//
// A page ends with its last result once the first that does not fit is seen.
// So a full page that has a place to go on from is followed by another
// result, and the last one has none. A page whose budget is spent (mostCandidates,
// mostQueries, the time that the request has left) ends there, with however few
// results and a place to go on from, whatever follows.
package permission

// Package authz decides: may this subject do this action on this resource?
// It is chapters 2 and 3 of the rules, with U2–U4, R13's predicate and I6, as
// one pure function over a compiled policy. Every check of rights, the API's
// own included, is answered here and nowhere else.
//
// Read it in this order: vocabulary.go and types.go (the words), actions.go
// (what can be asked), rules.go (the tables of U2, R4, R6, R7, C1 and C2),
// gates.go (C2–C5, action by action), decide.go (a question on its way to an
// answer), administer.go (C7, R10–R13) and both.go (I6). Around the decision are
// resolve.go and screen.go (the same of a whole list), explain.go (why),
// suggest.go and steps.go (what would change it), rights.go (how much that
// gives), sentence.go (all of it in words), search.go (where all is that is
// allowed), access.go (all that somebody may), difference.go (what a change does
// to that) and diff.go (one role beside another). How a policy becomes a Model is compile.go, the only file that lays out
// bits and shifts them, and forest.go.
//
// It refuses to know where facts come from, who may ask about whom, what time
// it is, and how an answer reaches a client. It never fails: what it is not
// given does not exist, and what does not exist is denied with its reason.
// Personas are not among its types, so none can change a decision (C9).
//
// Where the rules are silent:
//
//   - A name that leads nowhere matches nothing. A location whose parent is
//     unknown is a root; locations in a circle are in no tree and match nothing.
//   - What a policy holds against the rules gives nothing: a scope that R4 or
//     R10 does not allow, a team role that the item's team type does not have.
//   - A user of type capture who is not on an item's team is refused with
//     user_type, because no role could ever change it (U2).
//   - A wallboard's roles count in full: also where one names only_users, and
//     the wallboard is such a user of the item (R6, R7).
//   - The locations of an assignment's limit that the user no longer has count
//     for nothing, and a limit emptied so has ended (R5), also when the user
//     given is a hypothetical one.
//   - Reach over all of a user's locations (R11) is that of one assignment: two
//     local administrators' roles do not add up to one (R12). A user without
//     locations is within no local reach.
//   - Granting or revoking a role that does not exist is unknown_resource.
//   - Signing in and reading oneself need no right, so a yes has no reason.
//   - A change to somebody's access is as small as the rights that it gives, each
//     a permission on one template at one location, net of what is held. Edits
//     of a role come after changes to the person alone, however few rights they
//     give: everybody who holds the role gets them. Of several ways to make the
//     same change the one that gives least is told. Where it takes several steps
//     together, those are combined that give least by themselves.
//   - A right that one gains or loses is a row of one's access of which something
//     is new, or gone: a scope that becomes wider is a right gained, and none
//     lost. Of a deleted role nobody loses the right to grant it: there is
//     nothing left to grant.
//   - What could be changed is what the steps of suggest.go say: the team, an
//     assignment, the user's locations and type, a scope in a role that is held.
//     New roles and grants, and what an item is, are not suggested.
package authz

package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
)

// faulty is a world in which one call, to the table or to the pool, goes wrong.
type faulty struct {
	*fixture.Place
	pool  *fixture.Pool
	store *dynamo.Store
	users *directory.Users

	mu    sync.Mutex
	calls []string
	wrong int  // the number of the call that goes wrong, from 0; none when negative
	lost  bool // it happens, and its answer is lost
}

func newFaulty(t *testing.T) *faulty {
	_, place := fixture.World(t)
	f := &faulty{Place: place, pool: fixture.NewPool("root"), wrong: -1}
	f.pool.Hook = f.step
	f.store = place.Open(func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(operation string, _ any, next func() (any, error)) (out any, err error) {
			wrong := f.step(operation, func() error {
				out, err = next()
				return nil
			})
			return out, errors.Join(err, wrong)
		}))
	})
	f.users = directory.NewUsers(f.store, f.pool)
	return f
}

// step is one call on its way.
func (f *faulty) step(name string, next func() error) error {
	f.mu.Lock()
	n := len(f.calls)
	f.calls = append(f.calls, name)
	wrong, lost := n == f.wrong, f.lost
	f.mu.Unlock()
	if !wrong {
		return next()
	}
	if lost {
		_ = next()
	}
	return fault.Wrap(fault.Unavailable, "test", dynamotest.Lost)
}

// from begins to count calls, the one of this number to go wrong.
func (f *faulty) from(wrong int, lost bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.wrong, f.lost = nil, wrong, lost
}

// ways are what is done to a user's sign-in, from where it starts and to what it
// comes in table and pool.
var ways = []struct {
	name  string
	from  func(f *faulty, t *testing.T, id string)
	do    func(ctx context.Context, u *directory.Users, c directory.Caller, id string) error
	ends  directory.SignIn
	email string
}{
	{"invited", nobodys, enable, directory.Invited, ""},
	{"enabled again", func(f *faulty, t *testing.T, id string) { somebodys(f, t, id, directory.Disabled, true) }, enable, directory.Enabled, ""},
	{"never used, enabled again", func(f *faulty, t *testing.T, id string) { somebodys(f, t, id, directory.Disabled, false) }, enable, directory.Invited, ""},
	{"disabled", func(f *faulty, t *testing.T, id string) { somebodys(f, t, id, directory.Enabled, true) }, disable, directory.Disabled, ""},
	{"another address of who is invited", func(f *faulty, t *testing.T, id string) { somebodys(f, t, id, directory.Invited, false) }, move, directory.Invited, "@new.example"},
	{"another address", func(f *faulty, t *testing.T, id string) { somebodys(f, t, id, directory.Enabled, true) }, move, directory.Enabled, "@new.example"},
}

const old = "@riverside.example"

func nobodys(f *faulty, t *testing.T, id string) {
	f.AddUser(t, directory.User{ID: id, Name: id, Email: id + old, Username: id, Type: authz.General, Locations: []string{"icu"}})
}

func somebodys(f *faulty, t *testing.T, id string, s directory.SignIn, confirmed bool) {
	f.AddUser(t, directory.User{ID: id, Name: id, Email: id + old, Username: id, Type: authz.General, Locations: []string{"icu"}, SignIn: s, Sub: fixture.Sub(id)})
	f.pool.Set(id, fixture.Account{Standing: directory.Standing{Sub: fixture.Sub(id), Email: id + old, Confirmed: confirmed, Enabled: s.Usable()}})
}

func enable(ctx context.Context, u *directory.Users, c directory.Caller, id string) error {
	_, err := u.EnableSignIn(ctx, c, id, directory.Precondition{})
	return err
}

func disable(ctx context.Context, u *directory.Users, c directory.Caller, id string) error {
	_, err := u.DisableSignIn(ctx, c, id, directory.Precondition{})
	return err
}

func move(ctx context.Context, u *directory.Users, c directory.Caller, id string) error {
	w := directory.Wanted{User: c.Users[id]}
	w.Email = id + "@new.example"
	_, err := u.Put(ctx, c, w, directory.Precondition{Match: true, Any: true})
	return err
}

// Whatever call goes wrong, its answer lost or itself, a repetition finishes what
// was half done; and in between nobody is in whom the table does not let in, nor
// is anybody told to be in whom the pool does not know.
func TestEachStepThatFailsIsRepaired(t *testing.T) {
	f := newFaulty(t)
	for i, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			run := func(id string) error {
				return w.do(t.Context(), f.users, f.Caller(t, "root", directory.Keys{Users: []string{id}}), id)
			}
			clean := fmt.Sprint("user-", i)
			w.from(f, t, clean)
			f.from(-1, false)
			if err := run(clean); err != nil {
				t.Fatal(err)
			}
			steps := slices.Clone(f.calls)
			t.Log(steps)
			if !slices.Contains(steps, "TransactWriteItems") || !slices.Contains(steps, "Find") {
				t.Fatalf("only %v", steps)
			}
			for n, step := range steps {
				for _, lost := range []bool{false, true} {
					id := fmt.Sprintf("%s-%d-%v", clean, n, lost)
					w.from(f, t, id)
					f.from(n, lost)
					err := run(id)
					f.from(-1, false)
					name := fmt.Sprintf("step %d of %v, %s, lost %v", n, steps, step, lost)
					if !fault.Is(err, fault.Unavailable) {
						t.Errorf("%s: %v", name, err)
					}
					u, account := f.User(t, id), f.pool.Account(id)
					if u.SignIn.Usable() && (!account.Enabled || account.Sub != u.Sub) {
						t.Errorf("%s: the table lets in whom the pool does not: %s, %+v", name, u.SignIn, account)
					}
					if err := run(id); err != nil {
						t.Errorf("%s, repeated: %v", name, err)
					}
					f.ended(t, name, id, w.ends, w.email)
				}
			}
		})
	}
}

// ended holds table and pool to what a way comes to.
func (f *faulty) ended(t *testing.T, name, id string, ends directory.SignIn, email string) {
	t.Helper()
	if email == "" {
		email = old
	}
	u, account := f.User(t, id), f.pool.Account(id)
	if u.SignIn != ends || u.Sub != fixture.Sub(id) || u.Untold || u.Email != id+email {
		t.Errorf("%s: the table has %+v", name, u)
	}
	if account.Enabled != ends.Usable() || account.Sub != u.Sub || account.Email != id+email || account.Invitations > 3 {
		t.Errorf("%s: the pool has %+v", name, account)
	}
	if ends == directory.Invited && account.Invitations == 0 {
		t.Errorf("%s: nobody was invited", name)
	}
	if of, owner, err := f.store.SignIn(t.Context(), u.Sub); err != nil || of != fixture.Organization || owner != id {
		t.Errorf("%s: the sub is %s's of %s, %v", name, owner, of, err)
	}
}

// What an earlier try, or somebody else, left in the pool under the user's name.
func TestAccountsThatAreThereAlready(t *testing.T) {
	f := newFaulty(t)
	for _, c := range []struct {
		name    string
		account fixture.Account
		signIn  directory.SignIn
		code    string
		mailed  int
	}{
		{"invited by a try that stopped", fixture.Account{Standing: directory.Standing{Sub: "s1", Email: "%s" + old, Enabled: true}, Invitations: 1}, directory.Invited, "", 2},
		{"invited at another address, whose owner has a password that is void now", fixture.Account{Standing: directory.Standing{Sub: "s2", Email: "other@riverside.example", Enabled: true}, Invitations: 1}, directory.Invited, "", 2},
		{"who took up the invitation of a try that stopped", fixture.Account{Standing: directory.Standing{Sub: "s3", Email: "%s" + old, Confirmed: true, Enabled: true}}, directory.Enabled, "", 0},
		{"disabled by hand", fixture.Account{Standing: directory.Standing{Sub: "s4", Email: "%s" + old, Confirmed: true}}, directory.Enabled, "", 0},
		{"with a password of somebody at another address", fixture.Account{Standing: directory.Standing{Sub: "s5", Email: "other@riverside.example", Confirmed: true, Enabled: true}}, directory.NoSignIn, "sign_in_taken", 0},
		{"of another user", fixture.Account{Standing: directory.Standing{Sub: fixture.Sub("nurse"), Email: "%s" + old, Enabled: true}}, directory.NoSignIn, "sign_in_taken", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := "user-" + c.account.Sub
			nobodys(f, t, id)
			if c.account.Email == "%s"+old {
				c.account.Email = id + old
			}
			f.pool.Set(id, c.account)
			err := enable(t.Context(), f.users, f.Caller(t, "root", directory.Keys{Users: []string{id}}), id)
			if (err != nil || c.code != "") && fault.Of(err).Code != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			u, account := f.User(t, id), f.pool.Account(id)
			if u.SignIn != c.signIn {
				t.Errorf("%s, want %s", u.SignIn, c.signIn)
			}
			if c.code != "" {
				if account != c.account || u.Sub != "" {
					t.Errorf("T3 refused, and the pool has %+v", account)
				}
				return
			}
			if account.Email != u.Email || account.Invitations != c.mailed || !account.Enabled || u.Sub != c.account.Sub {
				t.Errorf("the user %+v has %+v", u, account)
			}
		})
	}
}

// An account that somebody deleted by hand is opened anew, and the user is the
// new one's.
func TestAnAccountThatIsGoneIsOpenedAnew(t *testing.T) {
	f := newFaulty(t)
	somebodys(f, t, "gone", directory.Enabled, true)
	f.pool.Remove("gone")
	if err := disable(t.Context(), f.users, f.Caller(t, "root", directory.Keys{Users: []string{"gone"}}), "gone"); err != nil {
		t.Fatal(err)
	}
	f.pool.Set("gone", fixture.Account{Standing: directory.Standing{Sub: "sub-second", Email: "gone" + old}})
	if err := enable(t.Context(), f.users, f.Caller(t, "root", directory.Keys{Users: []string{"gone"}}), "gone"); err != nil {
		t.Fatal(err)
	}
	if u := f.User(t, "gone"); u.Sub != "sub-second" || u.SignIn != directory.Invited || u.Untold {
		t.Errorf("%+v", u)
	}
}

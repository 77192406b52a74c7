package endpoints_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

// losses are the ways in which local loses the right to give unit-lead to
// nurse, each by one request of root's.
func losses(t *testing.T, place *fixture.Place, f *api.Function) map[string]func() fixture.Answer {
	administrator := func(change func(local map[string]any)) func() fixture.Answer {
		return func() fixture.Answer {
			shown := place.Do(t, f, onOne(getRoute, "root", "local-administrator", nil, ""))
			role := shown.JSON(t)
			change(role["admin"].(map[string]any)["localUserAdministrator"].(map[string]any))
			return place.Do(t, f, onOne(putRoute, "root", "local-administrator", role, shown.Header["etag"]))
		}
	}
	return map[string]func() fixture.Answer{
		"the administration is revoked": func() fixture.Answer {
			return place.Do(t, f, onRole(revokeRoute, "root", "local", "local-administrator", nil))
		},
		"it ends": func() fixture.Answer {
			return place.Do(t, f, onRole(assignRoute, "root", "local", "local-administrator", map[string]any{"until": "2020-01-01T00:00:00Z"}))
		},
		"it is revoked among others": func() fixture.Answer {
			return place.Do(t, f, changes("root", row("local", "local-administrator", taken)))
		},
		"its role is deleted": func() fixture.Answer {
			return place.Do(t, f, onOne(deleteRoute, "root", "local-administrator", nil, "*"))
		},
		"its role may grant others": administrator(func(l map[string]any) { l["grantableRoles"] = []string{"staff"} }),
		"its role reaches less far": administrator(func(l map[string]any) { l["scope"] = "only_location" }),
		"the role that is granted is deleted": func() fixture.Answer {
			return place.Do(t, f, onOne(deleteRoute, "root", "unit-lead", nil, "*"))
		},
	}
}

// interrupted is the function on an instance whose first write waits until
// something else has been acknowledged.
func interrupted(t *testing.T, place *fixture.Place, meanwhile func() fixture.Answer) *api.Function {
	t.Helper()
	var once sync.Once
	store := place.Open(func(c *aws.Config) {
		c.APIOptions = append(c.APIOptions, dynamotest.Intercept(func(operation string, _ any, next func() (any, error)) (any, error) {
			if operation == "TransactWriteItems" {
				once.Do(func() { expect(t, "meanwhile", meanwhile(), 200, "") })
			}
			return next()
		}))
	})
	deps := place.Deps(t, impersonation.NewSessions(store, impersonation.DefaultIdle))
	deps.Store = store
	return endpoints.New(deps, store)
}

// TestR12AGrantWhoseRightWasLostMeanwhileFails loses the right between decision
// and write: what was decided is not done, and is denied when decided anew.
func TestR12AGrantWhoseRightWasLostMeanwhileFails(t *testing.T) {
	place, f := open(t)
	for name := range losses(t, place, f) {
		t.Run(name, func(t *testing.T) {
			for how, grant := range map[string]fixture.Call{
				"alone": onRole(assignRoute, "local", "nurse", "unit-lead", nil), "among others": changes("local", row("nurse", "unit-lead", nil)),
			} {
				place, f := open(t)
				a := place.Do(t, interrupted(t, place, losses(t, place, f)[name]), grant)
				if how == "among others" && a.Status == http.StatusOK {
					if got := changesOf(t, a); got[0].Result != "" {
						t.Errorf("R12 %s: %s", how, got[0].Result)
					}
				} else if a.Status != 403 && a.Status != 404 {
					t.Errorf("R12 %s: %d %s", how, a.Status, a.Body)
				}
				if held, holds := place.User(t, "nurse").Assignment("unit-lead"); holds {
					t.Errorf("R12 %s: given after the right was lost: %+v", how, held)
				}
			}
		})
	}
}

// TestR12NoGrantStartsAfterTheLoss races grants with the loss of their right.
func TestR12NoGrantStartsAfterTheLoss(t *testing.T) {
	place, f := open(t)
	for range 4 {
		var lost, given atomic.Bool
		var racing sync.WaitGroup
		for _, user := range []string{"nurse", "capture", "inactive"} {
			g := another(t, place)
			racing.Go(func() {
				for range 6 {
					after := lost.Load()
					a := place.Do(t, g, onRole(assignRoute, "local", user, "unit-lead", map[string]any{"until": fmt.Sprintf("2030-01-01T00:00:%02dZ", len(user))}))
					place.Do(t, g, onRole(revokeRoute, "local", user, "unit-lead", nil))
					given.Store(given.Load() || a.Status == http.StatusOK)
					if after && a.Status == http.StatusOK {
						t.Errorf("R12 given to %s after the right was lost", user)
					}
				}
			})
		}
		racing.Go(func() {
			expect(t, "R12", place.Do(t, f, onRole(revokeRoute, "root", "local", "local-administrator", nil)), 200, "")
			lost.Store(true)
		})
		racing.Wait()
		expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "local", "local-administrator", nil)), 200, "")
	}
}

// TestR13InEveryWayAtOnce has two people, or one by two roles, who are full
// administrators, and loses both of these at once in all pairs of ways.
func TestR13InEveryWayAtOnce(t *testing.T) {
	place, f := open(t)
	place.AddUser(t, directory.User{ID: "second", Name: "Second", Username: "second", Type: place.User(t, "root").Type,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("second")})
	one, two := another(t, place), another(t, place)
	ended := map[string]any{"until": "2090-01-01T00:00:00Z"}
	full := map[string]any{"globalUserAdministrator": map[string]any{}, "roleAdministrator": true}
	first := map[string]func(by string) fixture.Answer{
		"revoked": func(by string) fixture.Answer {
			return place.Do(t, one, onRole(revokeRoute, by, "root", "administrator", nil))
		},
		"ended": func(by string) fixture.Answer {
			return place.Do(t, one, onRole(assignRoute, by, "root", "administrator", ended))
		},
		"revoked in bulk": func(by string) fixture.Answer {
			return place.Do(t, one, changes(by, row("nurse", "staff", nil), row("root", "administrator", taken)))
		},
	}
	round := 0
	for name, lose := range first {
		for _, holder := range []string{"second", "root"} {
			for way, other := range map[string]func(id string) fixture.Answer{
				"deleted": func(id string) fixture.Answer { return place.Do(t, two, onOne(deleteRoute, "root", id, nil, "*")) },
				"weakened": func(id string) fixture.Answer {
					return place.Do(t, two, onOne(putRoute, "root", id, roleBody(map[string]any{"name": id}), "*"))
				},
				"revoked": func(id string) fixture.Answer { return place.Do(t, two, onRole(revokeRoute, "root", holder, id, nil)) },
				"ended": func(id string) fixture.Answer {
					return place.Do(t, two, onRole(assignRoute, "root", holder, id, ended))
				},
			} {
				for range 2 {
					round++
					id := fmt.Sprint("other-", round)
					made := roleBody(map[string]any{"id": id, "name": id, "admin": full})
					expect(t, "R1", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: made}), 201, "")
					expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", holder, id, nil)), 200, "")
					var racing sync.WaitGroup
					racing.Go(func() { lose(holder) })
					racing.Go(func() { other(id) })
					racing.Wait()
					left := ""
					for _, u := range []string{"root", "second"} {
						if c := place.Caller(t, u, directory.Keys{}); c.Model.FullAdministrator(c.Subject.Decisive()) {
							left = u
						}
					}
					if left == "" {
						t.Fatalf("R13 %s, %s of %s: nobody is left", name, way, holder)
					}
					expect(t, "R12", place.Do(t, f, onRole(assignRoute, left, "root", "administrator", nil)), 200, "")
					place.Do(t, f, onRole(revokeRoute, "root", holder, id, nil))
				}
			}
		}
	}
}

// TestR13OneAdministratorByTwoRoles loses one of the two while the other is
// about to be lost: each by itself leaves a full administrator. Whoever changes
// the role is somebody else, so that nothing but the guard is between the two.
func TestR13OneAdministratorByTwoRoles(t *testing.T) {
	full := map[string]any{"globalUserAdministrator": map[string]any{}, "roleAdministrator": true}
	for name, then := range map[string]fixture.Call{
		"deleted":  onOne(deleteRoute, "coach", "other", nil, "*"),
		"weakened": onOne(putRoute, "coach", "other", roleBody(map[string]any{"name": "Other"}), "*"),
		"revoked":  onRole(revokeRoute, "root", "root", "other", nil),
		"ended":    onRole(assignRoute, "root", "root", "other", map[string]any{"until": "2090-01-01T00:00:00Z"}),
	} {
		t.Run(name, func(t *testing.T) {
			place, f := open(t)
			made := roleBody(map[string]any{"id": "other", "name": "Other", "admin": full})
			expect(t, "R1", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: made}), 201, "")
			expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "root", "other", nil)), 200, "")
			place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "designer"}, Name: "Designer", Admin: authz.Admin{Roles: true}}})
			expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "coach", "designer", nil)), 200, "")
			g := interrupted(t, place, func() fixture.Answer {
				return place.Do(t, f, onRole(revokeRoute, "root", "root", "administrator", nil))
			})
			expect(t, "R13", place.Do(t, g, then), 422, "last_full_administrator")
			if c := place.Caller(t, "root", directory.Keys{}); !c.Model.FullAdministrator(c.Subject.Decisive()) {
				t.Error("R13 nobody is left")
			}
		})
	}
}

// TestR13AnAdministrationThatEndsWithItsLimit: root leaves the place that one of
// their two full administrations is limited to while the other's role is about to
// go by somebody else.
func TestR13AnAdministrationThatEndsWithItsLimit(t *testing.T) {
	store, place, f := openStore(t)
	made := roleBody(map[string]any{"id": "other", "name": "Other", "admin": map[string]any{"globalUserAdministrator": map[string]any{}}})
	expect(t, "R1", place.Do(t, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: made}), 201, "")
	place.AddRole(t, fixture.Role{Role: authz.Role{RoleRef: authz.RoleRef{ID: "designer"}, Name: "Designer", Admin: authz.Admin{Roles: true}}})
	expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "coach", "designer", nil)), 200, "")
	users := directory.NewUsers(store, fixture.NewPool("root"))
	moves := func(locations ...string) {
		c := place.Caller(t, "root", directory.Keys{Users: []string{"root"}})
		next := c.Subject
		next.Locations = locations
		if _, err := users.Put(t.Context(), c, directory.Wanted{User: next}, directory.Precondition{Match: true, Any: true}); err != nil {
			t.Fatal(err)
		}
	}
	moves("hospital", "clinic")
	expect(t, "R12", place.Do(t, f, onRole(assignRoute, "root", "root", "other", map[string]any{"locations": []string{"clinic"}})), 200, "")
	g := interrupted(t, place, func() fixture.Answer {
		moves("hospital")
		return fixture.Answer{Status: http.StatusOK}
	})
	expect(t, "R13", place.Do(t, g, onOne(deleteRoute, "coach", "administrator", nil, "*")), 422, "last_full_administrator")
	if c := place.Caller(t, "root", directory.Keys{}); !c.Model.FullAdministrator(c.Subject.Decisive()) {
		t.Error("R13 nobody is left")
	}
}

package shipped

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"gemba/infra/iam"
	"gemba/shared/impersonation"
)

// functions are those of the template by their logical ids, with their folders
// and the environment that each reads; AWS's own variables are not the
// template's to set.
var functions = map[string]struct {
	folder      string
	environment []string
}{
	"DirectoryFunction":     {"directory", []string{onCognito, onDynamoDB, "TABLE", "USER_POOL_ID"}},
	"PersonaFunction":       {"persona", []string{onDynamoDB, "TABLE"}},
	"RoleFunction":          {"role", []string{onDynamoDB, "TABLE"}},
	"PermissionFunction":    {"permission", []string{onDynamoDB, "TABLE"}},
	"ImpersonationFunction": {"impersonation", []string{onCognito, onDynamoDB, "TABLE", "USER_POOL_CLIENT_ID"}},
	"TimelineFunction":      {"timeline", []string{onDynamoDB, "TABLE"}},
	"PersonaAuditFunction":  {"persona-audit", []string{onDynamoDB, onLambda, onSES, "SENDER", "TABLE"}},
	"NotifierFunction":      {"notifier", []string{onDynamoDB, onSES, "SENDER", "TABLE"}},
	"ProjectionFunction":    {"projection", []string{onDynamoDB, "TABLE"}},
}

// Where a service answers when it is not AWS; empty in the template, which
// names them because sam local hands over no other variables.
const (
	onDynamoDB = "AWS_ENDPOINT_URL_DYNAMODB"
	onCognito  = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
	onSES      = "AWS_ENDPOINT_URL_SESV2"
	onLambda   = "AWS_ENDPOINT_URL_LAMBDA"
)

// tagged is YAML as it stands, each tag kept: !Ref Table is {"!Ref": "Table"}.
func tagged(t *testing.T, text []byte) any {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		t.Fatal(err)
	}
	return plain(t, node.Content[0])
}

func plain(t *testing.T, node *yaml.Node) any {
	t.Helper()
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		inner := *node
		inner.Tag = ""
		return map[string]any{node.Tag: plain(t, &inner)}
	}
	switch node.Kind {
	case yaml.MappingNode:
		out := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			out[node.Content[i].Value] = plain(t, node.Content[i+1])
		}
		return out
	case yaml.SequenceNode:
		out := make([]any, len(node.Content))
		for i, member := range node.Content {
			out[i] = plain(t, member)
		}
		return out
	default:
		var out any
		if err := node.Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// resources are the template's, by logical id.
func resources(t *testing.T) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for id, resource := range at(tagged(t, file(t, "template.yaml")), "Resources").(map[string]any) {
		found[id] = resource.(map[string]any)
	}
	return found
}

// at is a member of a member; nil when there is none.
func at(value any, path ...string) any {
	for _, name := range path {
		members, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = members[name]
	}
	return value
}

// What cfn-lint takes as well when it is wrong, and nobody would notice until
// it is needed.
func TestTemplateSays(t *testing.T) {
	all := resources(t)
	for _, c := range []struct{ why, resource, path, want string }{
		{"a token is of our pool", "HttpApi", "Properties/Auth/Authorizers/Cognito/JwtConfiguration/issuer",
			`!Sub "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"`},
		{"a token is for our client", "HttpApi", "Properties/Auth/Authorizers/Cognito/JwtConfiguration/audience", `[!Ref UserPoolClient]`},
		{"a token comes in the header that clients send", "HttpApi", "Properties/Auth/Authorizers/Cognito/IdentitySource", `$request.header.Authorization`},
		{"a route that says nothing needs a token", "HttpApi", "Properties/Auth/DefaultAuthorizer", `Cognito`},
		{"paths are the contract's, without a stage", "HttpApi", "Properties/StageName", `$default`},

		{"keys are those of shared/dynamo", "Table", "Properties/KeySchema", `[{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]`},
		{"so is the index", "Table", "Properties/GlobalSecondaryIndexes",
			`[{IndexName: gsi1, KeySchema: [{AttributeName: gsi1pk, KeyType: HASH}, {AttributeName: gsi1sk, KeyType: RANGE}], Projection: {ProjectionType: ALL}}]`},
		{"a forgotten session is swept", "Table", "Properties/TimeToLiveSpecification", `{AttributeName: expires, Enabled: true}`},
		{"the sweep needs what was removed", "Table", "Properties/StreamSpecification", `{StreamViewType: NEW_AND_OLD_IMAGES}`},
		{"load needs no planning", "Table", "Properties/BillingMode", `PAY_PER_REQUEST`},
		{"a mistake can be undone", "Table", "Properties/PointInTimeRecoverySpecification", `{PointInTimeRecoveryEnabled: true}`},
		{"the table is not deleted by hand", "Table", "Properties/DeletionProtectionEnabled", `true`},
		{"nor with the stack", "Table", "DeletionPolicy", `Retain`},
		{"nor by a new name", "Table", "UpdateReplacePolicy", `Retain`},

		{"U1 usernames are unique whatever their case", "UserPool", "Properties/UsernameConfiguration", `{CaseSensitive: false}`},
		{"nobody signs themselves up", "UserPool", "Properties/AdminCreateUserConfig", `{AllowAdminCreateUserOnly: true}`},
		{"U1 a shared address recovers no account", "UserPool", "Properties/AccountRecoverySetting", `{RecoveryMechanisms: [{Name: admin_only, Priority: 1}]}`},
		{"symbols are said, here and in moto", "UserPool", "Properties/Policies/PasswordPolicy/RequireSymbols", `false`},
		{"people stay with a deleted stack", "UserPool", "DeletionPolicy", `Retain`},
		{"a password proves the actor (I2)", "UserPoolClient", "Properties/ExplicitAuthFlows", `[ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]`},
		{"a proof's tokens can be revoked (I2)", "UserPoolClient", "Properties/EnableTokenRevocation", `true`},
		{"a wrong name answers as a wrong password (T4)", "UserPoolClient", "Properties/PreventUserExistenceErrors", `ENABLED`},
		{"a browser can keep no secret", "UserPoolClient", "Properties/GenerateSecret", `false`},

		{"P6 a slot is a UTC day", "PersonaAuditFunction", "Properties/Events/Daily/Properties/ScheduleExpression", `cron(0 3 * * ? *)`},
		{"P6 and not another zone's", "PersonaAuditFunction", "Properties/Events/Daily/Properties/ScheduleExpressionTimezone", `UTC`},
		{"P6 the slot is told by when it was due", "PersonaAuditFunction", "Properties/Events/Daily/Properties/Input",
			`'{"scheduledTime":"<aws.scheduler.scheduled-time>"}'`},
		{"P6 no slot is moved over midnight", "PersonaAuditFunction", "Properties/Events/Daily/Properties/FlexibleTimeWindow", `{Mode: "OFF"}`},

		{"P6 what fails is tried again", "PersonaAuditFunction", "Properties/EventInvokeConfig/MaximumRetryAttempts", `2`},
		{"P6 what is given up is kept", "PersonaAuditFunction", "Properties/EventInvokeConfig/DestinationConfig/OnFailure",
			`{Type: SQS, Destination: !GetAtt PersonaAuditDeadLetters.Arn}`},
		{"P6 the schedule invokes its own function alone", "PersonaAuditRelay", "Properties/PolicyDocument/Statement",
			`[{Sid: Relay, Effect: Allow, Action: [lambda:InvokeFunction], Resource: !GetAtt PersonaAuditFunction.Arn}]`},
		{"P6 and nobody else does", "PersonaAuditRelay", "Properties/RoleName", `!Ref PersonaAuditFunctionRole`},

		{"I8 notices come from the table", "NotifierFunction", "Properties/Events/Stream/Properties/Stream", `!GetAtt Table.StreamArn`},
		{"I8 none is skipped", "NotifierFunction", "Properties/Events/Stream/Properties/StartingPosition", `TRIM_HORIZON`},
		{"I8 one that fails repeats alone", "NotifierFunction", "Properties/Events/Stream/Properties/FunctionResponseTypes", `[ReportBatchItemFailures]`},
		{"I8 a record that kills its batch is found", "NotifierFunction", "Properties/Events/Stream/Properties/BisectBatchOnFunctionError", `true`},
		{"I8 what is given up is kept", "NotifierFunction", "Properties/Events/Stream/Properties/DestinationConfig",
			`{OnFailure: {Type: SQS, Destination: !GetAtt NotifierDeadLetters.Arn}}`},
		{"I4 nobody has to come back for an end", "NotifierFunction", "Properties/Events/Sweep/Properties/ScheduleExpression", `rate(5 minutes)`},
		{"I4 a firing is told from a batch by when it was due", "NotifierFunction", "Properties/Events/Sweep/Properties/Input",
			`'{"scheduledTime":"<aws.scheduler.scheduled-time>"}'`},
		{"I4 the next sweep does what this one could not", "NotifierFunction", "Properties/EventInvokeConfig",
			`{MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 300}`},
		{"who takes part comes from the table", "ProjectionFunction", "Properties/Events/Stream/Properties/Stream", `!GetAtt Table.StreamArn`},
		{"nobody's day is skipped", "ProjectionFunction", "Properties/Events/Stream/Properties/StartingPosition", `TRIM_HORIZON`},
		{"a day that fails repeats alone", "ProjectionFunction", "Properties/Events/Stream/Properties/FunctionResponseTypes", `[ReportBatchItemFailures]`},
		{"T2 an entry waits for its seal as long as it takes", "ProjectionFunction", "Properties/Events/Stream/Properties/MaximumRetryAttempts", `-1`},
		{"a day that kills its batch is found", "ProjectionFunction", "Properties/Events/Stream/Properties/BisectBatchOnFunctionError", `true`},
		{"a day that is given up is kept", "ProjectionFunction", "Properties/Events/Stream/Properties/DestinationConfig",
			`{OnFailure: {Type: SQS, Destination: !GetAtt ProjectionDeadLetters.Arn}}`},
		{"mail comes from the verified address", "EmailIdentity", "Properties/EmailIdentity", `!Ref Sender`},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, want := at(all[c.resource], strings.Split(c.path, "/")...), tagged(t, []byte(c.want))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s %s is %v, want %v", c.resource, c.path, got, want)
			}
		})
	}
}

func TestEveryFunctionIsBuiltAndWired(t *testing.T) {
	globals := at(tagged(t, file(t, "template.yaml")), "Globals", "Function")
	if at(globals, "CodeUri") != "." || at(globals, "Runtime") != "provided.al2023" || at(globals, "Handler") != "bootstrap" {
		t.Errorf("the functions' globals are %v", globals)
	}
	if want := tagged(t, []byte(`[!Ref Architecture]`)); !reflect.DeepEqual(at(globals, "Architectures"), want) {
		t.Errorf("the architecture is %v, not the parameter", at(globals, "Architectures"))
	}
	makefile := string(file(t, "Makefile"))
	found := map[string]bool{}
	for id, resource := range resources(t) {
		if resource["Type"] != "AWS::Serverless::Function" {
			continue
		}
		found[id] = true
		want, known := functions[id]
		if !known {
			t.Errorf("%s is a function that nothing here knows", id)
			continue
		}
		if at(resource, "Metadata", "BuildMethod") != "makefile" || at(resource, "Properties", "CodeUri") != nil {
			t.Errorf("%s is not built by the Makefile at the root", id)
		}
		if !strings.Contains(makefile, "FOLDER_"+id+" := "+want.folder+"\n") {
			t.Errorf("the Makefile does not build %s from functions/%s", id, want.folder)
		}
		if _, err := os.Stat(filepath.Join(repository(t), "functions", want.folder, "main.go")); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		variables, _ := at(resource, "Properties", "Environment", "Variables").(map[string]any)
		for _, name := range []string{onDynamoDB, onCognito, onSES, onLambda} {
			if value, named := variables[name]; named && value != "" {
				t.Errorf("%s is sent to %v instead of AWS by %s", id, value, name)
			}
		}
		if got := slices.Sorted(maps.Keys(variables)); !slices.Equal(got, want.environment) {
			t.Errorf("%s has the environment %v, want %v", id, got, want.environment)
		}
		logs := strings.TrimSuffix(id, "Function") + "Logs"
		if !reflect.DeepEqual(at(resource, "Properties", "LoggingConfig", "LogGroup"), map[string]any{"!Ref": logs}) {
			t.Errorf("%s does not log to %s", id, logs)
		}
	}
	for id := range functions {
		if !found[id] {
			t.Errorf("%s is not in the template", id)
		}
	}
}

func TestLogsAreKeptForATime(t *testing.T) {
	groups := 0
	for id, resource := range resources(t) {
		if resource["Type"] != "AWS::Logs::LogGroup" {
			continue
		}
		groups++
		if at(resource, "Properties", "RetentionInDays") == nil {
			t.Errorf("%s is kept for ever", id)
		}
	}
	if groups != len(functions)+1 {
		t.Errorf("%d log groups for %d functions and the API", groups, len(functions))
	}
}

// The stream's filters let through what each function is for, and nothing of
// the rest of the table's traffic.
func TestStreamFilters(t *testing.T) {
	for _, c := range []struct {
		event, pk, sk string
		to            string
	}{
		{"INSERT", "X#o#1", "NOTICE", "Notifier"}, // I8
		{"MODIFY", "X#o#1", "NOTICE", ""},
		{"INSERT", "X#o#1", "SESSION", ""},
		{"INSERT", "X#o#1", "RECEIPT", ""},
		{"INSERT", "T#o#2026-11", "impersonation", "NotifierProjection"}, // its end asks for the receipt
		{"INSERT", "T#o#2026-11", "persona", "Projection"},
		{"INSERT", "TP#o#u", "impersonation", ""},
		{"MODIFY", "T#o#2026-11", "impersonation", "Projection"},
		{"INSERT", "X#o#1", "ALERT#h", ""},
		{"REMOVE", "A#o#u", "ACTING", "Notifier"},
		{"INSERT", "A#o#u", "ACTING", ""},
		{"REMOVE", "AUD#o", "ACTING", ""},
		{"INSERT", "U#o#u", "USER", ""},
		{"MODIFY", "U#o#u", "USER", ""},
		{"INSERT", "SEEN#o#u", "20500", "Projection"},
		{"REMOVE", "SEEN#o#u", "20500", ""},
		{"INSERT", "I#o#i", "ITEM", "Projection"},
		{"MODIFY", "I#o#i", "ITEM", "Projection"},
		{"REMOVE", "I#o#i", "ITEM", "Projection"},
		{"INSERT", "I#o#i", "CLAIM", ""},
		{"INSERT", "TI#o#t", "ITEM#i", ""},
		{"INSERT", "EI#o#i", "USER#u", ""},
		{"MODIFY", "EU#o#u", "N", ""},
		{"MODIFY", "CNT#o", "SET#h", ""},
		{"INSERT", "T#o#2026-11", "01K", "Projection"}, // T2
		{"MODIFY", "T#o#2026-11", "01K", "Projection"},
		{"REMOVE", "T#o#2026-11", "01K", "Projection"},
		{"INSERT", "TP#o#u", "01K", ""},
		{"MODIFY", "TP#o#u", "01K", "Projection"},
		{"REMOVE", "TP#o#u", "01K", "Projection"},
		{"INSERT", "SEALED#o#2026-11", "01K", ""},
		{"MODIFY", "SEALED#o#2026-11", "01K", "Projection"},
		{"REMOVE", "SEALED#o#2026-11", "01K", "Projection"},
		{"INSERT", "SEAL#o", "BLOCK#1", ""},
		{"MODIFY", "SEAL#o", "BLOCK#1", "Projection"},
		{"REMOVE", "SEAL#o", "BLOCK#1", "Projection"},
		{"INSERT", "SEAL#o", "HEAD", ""},
		{"MODIFY", "SEAL#o", "HEAD", ""}, // each block does
	} {
		var record any
		// An entry's filter looks at its type, which stands in for the key here.
		text := `{"eventName":"` + c.event + `","dynamodb":{"Keys":{"pk":{"S":"` + c.pk + `"},"sk":{"S":"` + c.sk + `"}},"NewImage":{"type":{"S":"` + c.sk + `"}}}}`
		if err := json.Unmarshal([]byte(text), &record); err != nil {
			t.Fatal(err)
		}
		to := ""
		for _, function := range []string{"Notifier", "Projection"} {
			if slices.ContainsFunc(patterns(t, function+"Function"), func(p any) bool { return filtered(p, record) }) {
				to += function
			}
		}
		if to != c.to {
			t.Errorf("%s of %s %s goes to %q, want %q", c.event, c.pk, c.sk, to, c.to)
		}
	}
}

// patterns are those of a function's stream.
func patterns(t *testing.T, function string) []any {
	t.Helper()
	var patterns []any
	for _, f := range at(resources(t)[function], "Properties", "Events", "Stream", "Properties", "FilterCriteria", "Filters").([]any) {
		var pattern any
		if err := json.Unmarshal([]byte(at(f, "Pattern").(string)), &pattern); err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, pattern)
	}
	return patterns
}

// filtered is EventBridge's rule: an object's members all match, a list names
// the values or prefixes of which one does.
func filtered(pattern, record any) bool {
	if alternatives, ok := pattern.([]any); ok {
		return slices.ContainsFunc(alternatives, func(a any) bool {
			prefix, ok := at(a, "prefix").(string)
			text, _ := record.(string)
			return a == record || ok && strings.HasPrefix(text, prefix)
		})
	}
	members, _ := pattern.(map[string]any)
	for name, member := range members {
		if !filtered(member, at(record, name)) {
			return false
		}
	}
	return len(members) > 0
}

// kinds are those that shared/dynamo gives keys.
var kinds = []string{"ORG", "V", "P", "C", "S", "G", "U", "D", "R", "GB", "L", "TI", "I", "N", "NR", "SUB", "X", "A", "PR", "T", "TP", "AUD", "CNT", "K", "SEEN", "EI", "EU", "SEAL", "SEALED"}

// writers are who may put, update or delete each kind; nobody else may, and
// nobody writes a kind that is not here.
var writers = map[string]string{
	"ORG": "Directory", "P": "Directory Role", "V": "Directory Role", "C": "Directory Role", "S": "Directory Role",
	"G": "Directory Role", "R": "Directory PersonaAudit Role", "GB": "PersonaAudit Role", "NR": "Directory Role",
	"U": "Directory Impersonation Persona PersonaAudit Projection Role", "D": "Directory Persona PersonaAudit Projection Role", "CNT": "Directory Persona PersonaAudit Projection",
	"SEEN": "Directory Impersonation Permission Persona Role Timeline", "EI": "Projection", "EU": "Projection", "SEAL": "Projection", "SEALED": "Projection",
	"I": "Directory", "L": "Directory", "TI": "Directory", "N": "Directory", "SUB": "Directory",
	"X":  "Directory Impersonation Notifier Permission Persona Role Timeline",
	"A":  "Directory Impersonation Notifier Permission Persona Role Timeline",
	"PR": "Impersonation", "K": "Directory Impersonation Persona Role", "AUD": "Persona PersonaAudit",
	"T":  "Directory Impersonation Notifier Permission Persona PersonaAudit Role Timeline",
	"TP": "Directory Impersonation Notifier Permission Persona PersonaAudit Role Timeline",
}

var tableActions = []string{
	"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query",
	"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem",
}

func TestPoliciesAreLeast(t *testing.T) {
	policies, err := iam.Read(filepath.Join(repository(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`^(` + strings.Join(kinds, "|") + `)#\*$`)
	wrote := map[string]map[string]bool{}
	for id := range functions {
		said := map[string]bool{}
		denied := false
		for _, s := range policies[id] {
			denied = denied || s.Deny
			for _, action := range s.Actions {
				if s.Deny {
					continue
				}
				if !slices.Contains(tableActions, action) {
					t.Errorf("%s may %s", id, action)
				}
				for _, resource := range s.Resources {
					if said[action+resource] {
						t.Errorf("%s: %s on %s stands in two statements, so a batch over both is refused", id, action, resource)
					}
					said[action+resource] = true
				}
				for _, key := range s.Keys {
					kind := strings.TrimSuffix(key, "#*")
					if !pattern.MatchString(key) {
						t.Errorf("%s: %s is no kind of key", id, key)
					}
					if slices.Contains([]string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}, action) {
						if wrote[kind] == nil {
							wrote[kind] = map[string]bool{}
						}
						wrote[kind][strings.TrimSuffix(id, "Function")] = true
					}
				}
			}
		}
		if !denied {
			t.Errorf("%s lacks the Deny that keeps the timeline (T2)", id)
		}
	}
	for _, kind := range kinds {
		if got := strings.Join(slices.Sorted(maps.Keys(wrote[kind])), " "); got != writers[kind] {
			t.Errorf("%s# is written by %q, want %q", kind, got, writers[kind])
		}
	}
}

// Accounts are opened and closed by one function, in the stack's pool alone, and
// it can neither delete them (U1) nor set their passwords.
func TestOnlyOneFunctionChangesAccounts(t *testing.T) {
	const may = "[cognito-idp:AdminCreateUser cognito-idp:AdminGetUser cognito-idp:AdminEnableUser cognito-idp:AdminDisableUser cognito-idp:AdminUpdateUserAttributes]"
	found := 0
	for id, resource := range resources(t) {
		policies, _ := at(resource, "Properties", "Policies").([]any)
		for _, policy := range policies {
			statements, _ := at(policy, "Statement").([]any)
			for _, s := range statements {
				actions := fmt.Sprint(at(s, "Action"))
				if !strings.Contains(actions, "cognito-idp:") {
					continue
				}
				found++
				if id != "DirectoryFunction" || actions != may || at(s, "Resource", "!GetAtt") != "UserPool.Arn" {
					t.Errorf("%s may do %s on %v", id, actions, at(s, "Resource"))
				}
			}
		}
	}
	if n := strings.Count(string(file(t, "template.yaml")), "cognito-idp:Admin"); found != 1 || n != 5 {
		t.Errorf("%d statements and %d actions on accounts, want 1 and 5", found, n)
	}
}

// Beside the accounts of the pool, mail is the only right outside the table that
// a statement gives, and only from the sender's address.
func TestOnlyMailersMail(t *testing.T) {
	text := string(file(t, "template.yaml"))
	if n := strings.Count(text, "ses:SendEmail"); n != 2 {
		t.Errorf("%d statements let mail out, the audit's and the notifier's are two", n)
	}
	if n := strings.Count(text, "StringEquals: {ses:FromAddress: !Ref Sender}"); n != 2 {
		t.Errorf("%d of the two are bound to the sender", n)
	}
	for _, never := range []string{"dynamodb:Scan", "dynamodb:*", "cognito-idp:*", "cognito-idp:AdminDelete", "cognito-idp:AdminSetUserPassword", `Action: "*"`, "[iam:", "[kms:"} {
		if strings.Contains(text, never) {
			t.Errorf("the template grants %s", never)
		}
	}
	if n := strings.Count(text, `Resource: "*"`); n != 2 {
		t.Errorf("%d statements are for every resource, the two ListStreams alone are", n)
	}
}

// Where a sweep begins follows from how often it comes.
func TestSweepComesAsOftenAsItSays(t *testing.T) {
	rate := at(resources(t)["NotifierFunction"], "Properties", "Events", "Sweep", "Properties", "ScheduleExpression")
	if want := fmt.Sprintf("rate(%d minutes)", impersonation.SweepPeriod/time.Minute); rate != want {
		t.Errorf("I4: the sweep comes by %v, package impersonation says %s", rate, want)
	}
}

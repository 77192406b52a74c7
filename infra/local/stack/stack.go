// Package stack is the whole system on this machine, made from template.yaml:
// DynamoDB Local, moto for Cognito and SES, the table, pool, client and
// identity in them, the functions' real handlers in this process behind a
// gateway, and the stream and the schedule that drive the others.
//
// It decides what is made in which order and how it ends: all of it, in the
// reverse order, whatever fails. It refuses to know what the functions do;
// their handlers and what is loaded at the start are given to it.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"gemba/infra/local/dynamolocal"
	"gemba/infra/local/function"
	"gemba/infra/local/gateway"
	"gemba/infra/local/invocation"
	"gemba/infra/local/moto"
	"gemba/infra/local/schedule"
	"gemba/infra/local/stream"
	"gemba/infra/local/template"
)

// Options is what a stack is made of. Root is the repository's folder, Port
// where the gateway listens on 127.0.0.1 (0 is any free one).
type Options struct {
	Root string
	Port int
	// Handlers builds the functions' handlers by their logical ids; every
	// function of the template needs one.
	Handlers func(Parts) (map[string]lambda.Handler, error)
	// Seed, if any, is called when everything else is there.
	Seed func(context.Context, Parts) error
	// Pace is the longest that is waited for a schedule that is a rate; 0 for what
	// the template says.
	Pace time.Duration
	// Log gets what goes wrong, a JSON object a line; Say what is being done.
	Log io.Writer
	Say func(string)
}

// Parts is what was made and where it answers.
type Parts struct {
	// DynamoDB, Cognito, SES and Lambda are the SDK's configurations for each.
	DynamoDB, Cognito, SES, Lambda aws.Config
	// Table, UserPool and UserPoolClient are names and ids in them.
	Table, UserPool, UserPoolClient string
	// Environment is that of each function, by logical id.
	Environment map[string]map[string]string
	// Output is what a function's standard output is in the cloud; Log writes
	// to it, too.
	Output io.Writer
	Log    *slog.Logger
}

// Stack is the running system.
type Stack struct {
	// URL is the gateway's address.
	URL string
	// Parts are what the functions stand on, for tests that look behind them.
	Parts Parts

	options   Options
	template  *template.Template
	log       *slog.Logger
	dynamo    *dynamolocal.Server
	moto      *moto.Server
	reader    *stream.Reader
	scheduler *schedule.Scheduler
	queue     *invocation.Queue
	server    *http.Server
	handler   http.Handler
	serving   atomic.Pointer[http.Handler]

	mu      sync.Mutex
	closers []func()
	closed  bool
	failed  chan error
}

// TableName is the name of the table in DynamoDB Local.
const TableName = "gemba-local"

// Start makes everything and returns when all of it serves; until then
// /_local/ready answers 503. A stack that cannot be made leaves nothing running.
func Start(ctx context.Context, options Options) (*Stack, error) {
	options.Log = &oneWriter{to: options.Log}
	s := &Stack{options: options, log: slog.New(slog.NewJSONHandler(options.Log, nil)), failed: make(chan error, 1)}
	for _, step := range []func(context.Context) error{s.listen, s.readTemplate, s.startServers, s.createResources, s.startFunctions, s.seed} {
		if err := step(ctx); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close stops everything and returns when nothing is left running.
func (s *Stack) Close() {
	s.mu.Lock()
	closers := s.closers
	s.closers, s.closed = nil, true
	s.mu.Unlock()
	s.hangUp()
	for _, stop := range slices.Backward(closers) {
		stop()
	}
}

// Failed gets an error when a part of the stack ends by itself.
func (s *Stack) Failed() <-chan error { return s.failed }

// Abandoned is what the stream's dead letters hold.
func (s *Stack) Abandoned() []stream.Abandoned { return s.reader.Abandoned() }

// oneWriter lets the stack's log and the functions' output, which know nothing
// of each other, write to one place.
type oneWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *oneWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(text)
}

func (s *Stack) onClose(stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closers = append(s.closers, stop)
}

// listen takes the port first: a port in use is told before anything else is
// done, and whoever waits for the stack can ask it already.
func (s *Stack) listen(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", s.options.Port))
	if err != nil {
		return fmt.Errorf("port %d of 127.0.0.1 cannot be used (%w): set PORT to a free one", s.options.Port, rootCause(err))
	}
	s.URL = "http://" + listener.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	s.server = server
	return nil
}

// hangUp stops listening and lets requests under way end, for two seconds.
func (s *Stack) hangUp() {
	if s.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close() // whoever still asks is cut off
	}
}

func rootCause(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

func (s *Stack) serve(w http.ResponseWriter, r *http.Request) {
	if handler := s.serving.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	problem(w, http.StatusServiceUnavailable, "starting", "The local stack is starting.")
}

func (s *Stack) readTemplate(context.Context) (err error) {
	s.template, err = template.Read(filepath.Join(s.options.Root, "template.yaml"))
	return err
}

func (s *Stack) startServers(ctx context.Context) error {
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if s.dynamo, err = dynamolocal.Start(inner, s.options.Root, s.options.Say); err == nil {
			s.onClose(s.dynamo.Close)
			s.watch("DynamoDB Local", s.dynamo.Done())
		}
		return err
	})
	group.Go(func() (err error) {
		if s.moto, err = moto.Start(inner, s.options.Root, s.options.Say); err == nil {
			s.onClose(s.moto.Close)
			s.watch("moto", s.moto.Done())
		}
		return err
	})
	return group.Wait()
}

// watch reports a server that ends before the stack does.
func (s *Stack) watch(name string, done <-chan struct{}) {
	go func() {
		<-done
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.closed {
			return
		}
		select {
		case s.failed <- fmt.Errorf("%s ended by itself", name):
		default: // the first failure is enough
		}
	}()
}

// createResources creates what the template says and gives the template the
// names, so that what refers to them can be read.
func (s *Stack) createResources(ctx context.Context) error {
	s.Parts = Parts{DynamoDB: s.dynamo.Config(), Cognito: s.moto.Config(), SES: s.moto.Config(), Lambda: s.lambdaConfig(), Output: s.options.Log, Log: s.log}
	for _, create := range []func(context.Context) error{s.createTable, s.createPool, s.createIdentities, s.nameTheRest} {
		if err := create(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) createTable(ctx context.Context) error {
	id, form, err := s.template.Table()
	if err != nil {
		return err
	}
	arn, err := dynamolocal.CreateTable(ctx, dynamodb.NewFromConfig(s.Parts.DynamoDB), TableName, form)
	if err != nil {
		return err
	}
	s.Parts.Table = TableName
	s.template.Set(id, TableName)
	s.template.Set(id+".Arn", "arn:aws:dynamodb:"+template.Region+":"+template.Account+":table/"+TableName)
	s.template.Set(id+".StreamArn", arn)
	return nil
}

func (s *Stack) createPool(ctx context.Context) error {
	var pool template.Pool
	var client template.PoolClient
	poolID, err := s.template.Only("AWS::Cognito::UserPool")
	if err != nil {
		return err
	}
	clientID, err := s.template.Only("AWS::Cognito::UserPoolClient")
	if err != nil {
		return err
	}
	if err := errors.Join(s.template.Properties(poolID, &pool), s.template.Properties(clientID, &client)); err != nil {
		return err
	}
	s.Parts.UserPool, s.Parts.UserPoolClient, err = s.moto.CreatePool(ctx, pool, client)
	s.template.Set(poolID, s.Parts.UserPool)
	s.template.Set(clientID, s.Parts.UserPoolClient)
	return err
}

func (s *Stack) createIdentities(ctx context.Context) error {
	for _, id := range s.template.All("AWS::SES::EmailIdentity") {
		var form struct{ EmailIdentity string }
		if err := s.template.Properties(id, &form); err != nil {
			return err
		}
		if err := s.moto.CreateIdentity(ctx, form.EmailIdentity); err != nil {
			return err
		}
		s.template.Set(id, form.EmailIdentity)
	}
	return nil
}

// nameTheRest names what events refer to and what is no server here: the
// gateway is this process, the dead letters are a list in it.
func (s *Stack) nameTheRest(context.Context) error {
	api, err := s.template.Only("AWS::Serverless::HttpApi")
	if err != nil {
		return err
	}
	s.template.Set(api, "local")
	for _, id := range s.template.All("AWS::SQS::Queue") {
		s.template.Set(id, "http://local/"+id)
		s.template.Set(id+".Arn", "arn:aws:sqs:"+template.Region+":"+template.Account+":"+id)
	}
	return nil
}

// startFunctions builds the handlers and lets gateway, stream and schedule
// call them.
func (s *Stack) startFunctions(ctx context.Context) error {
	declared, err := s.template.Functions()
	if err != nil {
		return err
	}
	running, err := s.handlers(declared)
	if err != nil {
		return err
	}
	s.queue = invocations(declared, running, s.log)
	s.onClose(s.queue.Close)
	if s.scheduler, err = schedule.New(declared, running, s.options.Pace, s.log, time.Now); err != nil {
		return err
	}
	handler, err := s.gateway(ctx, declared, running)
	if err != nil {
		return err
	}
	if err := s.startReader(declared, running); err != nil {
		return err
	}
	s.scheduler.Run()
	s.onClose(s.scheduler.Close)
	s.handler = s.withLocal(handler)
	return nil
}

func (s *Stack) handlers(declared []template.Function) (map[string]function.Function, error) {
	s.Parts.Environment = map[string]map[string]string{}
	for _, one := range declared {
		s.Parts.Environment[one.ID] = one.Environment
	}
	built, err := s.options.Handlers(s.Parts)
	if err != nil {
		return nil, err
	}
	running := map[string]function.Function{}
	for _, one := range declared {
		handler, ok := built[one.ID]
		if !ok {
			return nil, fmt.Errorf("the template's function %s has no handler in infra/local", one.ID)
		}
		running[one.ID] = function.Function{ID: one.ID, Timeout: one.Timeout, Handler: handler}
	}
	return running, nil
}

// lambdaConfig is that of the functions' own invocations: they go to this process.
func (s *Stack) lambdaConfig() aws.Config {
	return aws.Config{
		Region: template.Region, Credentials: s.dynamo.Config().Credentials, BaseEndpoint: aws.String(s.URL + lambdaPath),
	}
}

// invocations takes the functions' asynchronous invocations, by their ids.
func invocations(declared []template.Function, running map[string]function.Function, log *slog.Logger) *invocation.Queue {
	targets := map[string]invocation.Target{}
	for _, one := range declared {
		targets[one.ID] = invocation.Target{Function: running[one.ID], Retries: one.Retries}
	}
	return invocation.New(targets, log)
}

func (s *Stack) gateway(ctx context.Context, declared []template.Function, running map[string]function.Function) (*gateway.Gateway, error) {
	config, err := s.template.Authorizer()
	if err != nil {
		return nil, err
	}
	keys, err := s.moto.KeySet(ctx, s.Parts.UserPool)
	if err != nil {
		return nil, err
	}
	authorizer, err := gateway.NewAuthorizer(config, keys, time.Now)
	if err != nil {
		return nil, err
	}
	return gateway.New(declared, running, authorizer, s.log, time.Now)
}

func (s *Stack) startReader(declared []template.Function, running map[string]function.Function) error {
	id, form, err := s.template.Table()
	if err != nil {
		return err
	}
	source := stream.Source{Config: s.Parts.DynamoDB, Table: s.Parts.Table, ARN: s.template.Value(id + ".StreamArn")}
	if form.TimeToLiveSpecification != nil {
		source.TTLAttribute = aws.ToString(form.TimeToLiveSpecification.AttributeName)
	}
	if s.reader, err = stream.Start(source, declared, running, s.log); err != nil {
		return err
	}
	s.onClose(s.reader.Close)
	return nil
}

// seed loads what the stack starts with and opens the gateway.
func (s *Stack) seed(ctx context.Context) error {
	if s.options.Seed != nil {
		if err := s.options.Seed(ctx, s.Parts); err != nil {
			return err
		}
	}
	s.serving.Store(&s.handler)
	return nil
}

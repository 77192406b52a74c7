package whole

// demo is the demo world, which the package's stack starts with.
var demo = file("infra/demo/world.json")

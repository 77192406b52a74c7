module gemba

go 1.26

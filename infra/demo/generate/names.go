package main

import "strings"

var firstNames = strings.Fields(`
	Aaliyah Adam Aisha Akira Alejandra Amara Anders Andrea Anika Antonio Ava Beatriz Ben Björn Camila Carlos Chiara
	Chloe Claire Daniel Daria David Deepak Diego Dilan Elif Emeka Emily Emma Enrique Eva Farid Felix Fiona Gabriel
	George Hana Hanna Hassan Helen Hiroshi Hugo Ibrahim Imani Ines Isaac Ivan Jamal Jana Jin Johanna José Julia
	Karim Kavya Kofi Lars Laura Layla Leila Leon Liam Lin Linh Luis Magda Malik Marta Mateo Mei Mikael Mina Nadia
	Naomi Nikhil Nina Omar Oskar Paula Pedro Ravi Rosa Ruth Sana Sara Sofia Stefan Tariq Thandi Tuan Uma Victor
	Wanda Wei Yara Yusuf Zoe`)

var lastNames = strings.Fields(`
	Abebe Adeyemi Ahmed Andersson Bailey Banerjee Baptiste Becker Berg Bianchi Boateng Carter Castillo Chen Choi Cohen
	Costa Cruz Dang Davies Diaz Dubois Eriksen Evans Farah Fernández Foster García Ghosh Gomez Green Gupta Haddad
	Hall Hansen Hoang Hughes Ibarra Iqbal Jackson Jensen Johansson Kamau Kang Khan Kim Kovács Kowalski Kumar Larsen
	Lee Lewis Lopez Martin Mbeki Mehta Mendes Meyer Miller Mitchell Moreau Morales Murphy Mwangi Müller Nair Nguyen
	Novak Nowak Ochieng Oliveira Ortiz Owusu Park Patel Perez Pham Quinn Rahman Ramos Reid Rossi Russo Sato Schmidt
	Sharma Silva Singh Smirnov Suzuki Taylor Tran Vargas Wagner Walker Wang Wilson Wright Yamamoto Yilmaz Young`)

// latin writes a name's letters as sign-in names have them.
var latin = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ö", "o", "ü", "ue", " ", ".")

// signInName is a person's user name.
func signInName(name string) string { return latin.Replace(strings.ToLower(name)) }

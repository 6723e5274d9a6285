// Package repository tests the repositories and the component sql of Mehari on real databases. Drivers are needed for
// that which users choose themselves, and so this is a module of its own.
package repository

// Passport 0.7, unchanged: its login and logout rotate the id by the callbacks of express-session.
import express from "express";
import { fastSession } from "fastsession/express";
import passport from "passport";
import { Strategy } from "passport-local";

const users = new Map([["ann", "secret"]]);
passport.use(new Strategy((name, password, done) => done(null, users.get(name) === password && { name })));
passport.serializeUser((user, done) => done(null, user.name));
passport.deserializeUser((name, done) => done(null, users.has(name) && { name }));

export const app = express();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET }));
app.use(passport.session());

app.post("/login", express.json(), passport.authenticate("local"), (req, res) => res.send(`hello ${req.user.name}`));
app.post("/logout", (req, res, next) => req.logout((error) => (error ? next(error) : res.send("bye"))));
app.get("/", (req, res) => res.send(req.user?.name ?? "nobody"));

if (process.argv[1] === import.meta.filename) app.listen(3000);

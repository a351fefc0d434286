import "reflect-metadata";
import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { FastSession } from "fastsession";
import { FastSessionModule, Session } from "fastsession/nest";

@Controller()
class VisitsController {
  @Get()
  visits(@Session() session: FastSession) {
    return { visits: session.increment("visits") };
  }
}

@Module({
  imports: [FastSessionModule.forRoot({ secretKey: process.env["SESSION_SECRET"]! })],
  controllers: [VisitsController],
})
// oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is an empty class
class AppModule {}

export const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });

if (process.argv[1] === import.meta.filename) await app.listen(3000);
